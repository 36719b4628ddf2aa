-- The types of events that the bank applies, which family of functions does it, and what each does to the books. An
-- event of any other type is stored, and moves nothing.
create or replace view credits.event_types (type, family, effect)
with (security_invoker = true)
as
values
(
    'checkout.session.completed', 'session',
    'grants the order if it is paid, or if nothing was to be paid; otherwise the order is processing'
),
('checkout.session.async_payment_succeeded', 'session', 'grants the order'),
('checkout.session.async_payment_failed', 'session', 'ends the order; takes back what was granted before it failed'),
('checkout.session.expired', 'session', 'ends the order'),
('refund.created', 'refund', 'withholds the tokens of a pending refund; takes back those of one that succeeded'),
('refund.updated', 'refund', 'the same, for the new status'),
('refund.failed', 'refund', 'gives back what this refund took or withheld'),
('charge.refund.updated', 'refund', 'the same as refund.updated, in older versions of Stripe''s API'),
('charge.refunded', 'refund', 'takes back what the charge says was refunded and no refund has explained'),
('charge.dispute.created', 'dispute', 'freezes the lots of the order; an inquiry moves nothing'),
('charge.dispute.updated', 'dispute', 'the same, for the new status'),
('charge.dispute.funds_withdrawn', 'dispute', 'takes back the tokens of the disputed amount'),
('charge.dispute.funds_reinstated', 'dispute', 'gives back exactly what the withdrawal took'),
(
    'charge.dispute.closed', 'dispute',
    'thaws the lots of the order, but not when it was lost and its withdrawal was never reported; moves no tokens'
),
('radar.early_fraud_warning.created', 'fraud_warning', 'freezes the lots of the order, if the operator wants it so'),
('radar.early_fraud_warning.updated', 'fraud_warning', 'thaws them when nothing can be done about it any more'),
(
    'payment_intent.succeeded', 'intent',
    'grants an automatic top-up; may save a card for it; the payment of a Checkout session grants nothing here'
),
('payment_intent.payment_failed', 'intent', 'ends the attempt of an automatic top-up, which waits or pauses'),
('payment_intent.canceled', 'intent', 'the same'),
('setup_intent.succeeded', 'intent', 'saves a card for automatic top-ups, if the user has agreed to them'),
('invoice.paid', 'invoice', 'grants the period of a plan, once per invoice; another invoice grants nothing'),
('invoice.payment_succeeded', 'invoice', 'the same as invoice.paid: whichever comes first grants'),
('invoice.payment_failed', 'invoice', 'moves no tokens; tells the user, once for each attempt'),
('invoice.voided', 'invoice', 'moves no tokens; nothing is due any more'),
('invoice.marked_uncollectible', 'invoice', 'moves no tokens; nothing is expected any more'),
('invoice_payment.paid', 'invoice', 'moves no tokens; names the payment of an invoice, for refunds and disputes'),
('customer.subscription.created', 'subscription', 'moves no tokens; records the subscription'),
(
    'customer.subscription.updated', 'subscription',
    'moves no tokens; records plan, status and period; an event that is older than the last one changes nothing'
),
('customer.subscription.paused', 'subscription', 'the same'),
('customer.subscription.resumed', 'subscription', 'the same'),
('customer.subscription.trial_will_end', 'subscription', 'the same; tells the user'),
('customer.subscription.deleted', 'subscription', 'ends the subscription for ever; the free plan takes its place');
comment on view credits.event_types is
'The types of Stripe events that are applied: the family whose functions apply them, and what they do to the books. '
'Events of other types are stored, and move nothing.';

create or replace function credits.family_of(p_type text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (select t.family from credits.event_types as t where t.type = p_type);
end
$$;
comment on function credits.family_of(text) is
'The family of a type of events. Null: events of this type move nothing.';
