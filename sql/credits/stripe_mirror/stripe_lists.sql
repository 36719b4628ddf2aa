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
('balance_transactions', '/v1/balance_transactions', 'balance_transaction', interval '360 hours'),
('payouts', '/v1/payouts', 'payout', interval '840 hours');
comment on view credits.stripe_lists is
'The lists of Stripe that `pgcredits stripe pull` reads: the path, the kind of the objects, and how far each reading '
'overlaps the one before it.';
