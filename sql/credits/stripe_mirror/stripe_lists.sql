-- The lists of Stripe that are read. An object can change after it was made. So each reading also goes over those of
-- the time before: as long as such an object usually changes.
create or replace view credits.stripe_lists (list, path, kind, changes_for)
with (security_invoker = true)
as
values
('events', '/v1/events', 'event', interval '1 hour'),
('sessions', '/v1/checkout/sessions', 'checkout.session', interval '360 hours'),
('payment_intents', '/v1/payment_intents', 'payment_intent', interval '360 hours'),
('invoices', '/v1/invoices', 'invoice', interval '840 hours'),
('charges', '/v1/charges', 'charge', interval '360 hours'),
('refunds', '/v1/refunds', 'refund', interval '840 hours'),
('disputes', '/v1/disputes', 'dispute', interval '4320 hours'),
('payouts', '/v1/payouts', 'payout', interval '840 hours'),
('balance_transactions', '/v1/balance_transactions', 'balance_transaction', interval '360 hours');
comment on view credits.stripe_lists is
'The lists of Stripe that `pgcredits stripe pull` reads: the path, the kind of the objects, and how far each reading '
'overlaps the one before it.';

-- The time that each list covers: an object of it that is not in the mirror does not exist at Stripe.
create or replace view credits.covered_lists
with (security_invoker = true)
as
select
    l.kind,
    c.covers_from,
    c.complete_until,
    credits.earlier(c.complete_until, s.stripe_delay) as covers_until,
    l.changes_for
from credits.stripe_cursors as c
inner join credits.stripe_lists as l on c.list = l.list
cross join credits.settings as s
where c.complete_until is not null;
comment on view credits.covered_lists is
'The lists that were read to their end. From covers_from to covers_until they have every object; what was made until '
'complete_until may be under way.';
