-- Comments for people and for /schema. The tables themselves are in migrations/0007-orders.sql.
comment on table credits.orders is
'Purchases, each with a snapshot of what was sold. The grant is made from this snapshot, never from what an event '
'says.';
comment on column credits.orders.state is
'pending → processing (paid later) → paid, failed or expired. parked: the money does not match the order, and a person '
'must decide.';
comment on column credits.orders.amount is 'Price in minor units of currency.';
comment on index credits.orders_checkout_session_idx is 'Finds the order of a Checkout session.';

comment on table credits.stripe_events is
'Every event that Stripe sent, once, with its outcome, written in the transaction of its effect.';
comment on column credits.stripe_events.bucket is
'Where the event belongs when the bank is on several servers: the bucket of the account that its object names, '
'otherwise that of its own id. See docs/scaling.md.';
comment on column credits.stripe_events.account_id is
'The account that it names, together with order_id. Null when it does not name one.';
comment on column credits.stripe_events.order_id is
'The order that it names. While the event waits, this order may not exist.';
comment on column credits.stripe_events.outcome is
'granted, processing, failed, expired, parked, duplicate (of the same purchase), stored, unmatched (it names no '
'order), waiting (what it names is not there yet), applied (it moved something, or said something new about an '
'order), or dismissed (an operator decided that nothing is to be done).';
comment on column credits.stripe_events.reason is 'Why it is parked or waits.';
comment on column credits.stripe_events.payload is
'The event. Where original is set, characters that jsonb cannot hold were replaced in it.';
comment on column credits.stripe_events.original is
'The bytes that Stripe sent, for an event with characters that jsonb cannot hold. Null for other events.';
comment on column credits.stripe_events.looked_at is
'When maintenance last failed to apply it while it waited. Null when it never failed.';
comment on column credits.stripe_events.trouble is 'The error of that failure.';

comment on table credits.stripe_objects is
'Stripe objects (sessions, payment intents) that were granted. A purchase counts once, whichever of its events come, '
'and however often.';

comment on column credits.orders.kind is
'What made it: checkout (a pack or an amount), auto_topup (a standing consent), subscription (a paid invoice of a '
'plan).';
comment on column credits.orders.paid is 'What arrived, with tax, in minor units of currency. Null until it is paid.';
comment on column credits.orders.reversed is 'How much of that has gone back, in minor units.';
comment on column credits.orders.reversal_pending is 'How much of it may go back soon, in minor units.';
comment on column credits.orders.disputed is 'Whether its lots are frozen.';
comment on column credits.orders.reversed_debt is
'Debt, in tokens, that stands for tokens of this order which were spent, or are held, and whose money has gone back.';
comment on column credits.orders.succeeded_at is
'When its payment last succeeded, by Stripe''s clock. Null until it is paid.';

comment on table credits.reversals is
'Objects at Stripe that take the money of an order back, or may: refunds, disputes, fraud warnings, failed payments. '
'Each row is what all events together say about one object.';
comment on column credits.reversals.reversal_id is 'The id of the object at Stripe: re_…, dp_…, issfr_…, ch_…, cs_….';
comment on column credits.reversals.kind is
'refund; refunded_charge (what a charge says was refunded of it in all); dispute; fraud_warning; failed_payment (the '
'session of a payment that failed after it had succeeded).';
comment on column credits.reversals.amount is 'Minor units of the currency of the order.';
comment on column credits.reversals.status is
'The furthest status that an event reported (credits.reversal_rank). requested: asked for here, and not known at '
'Stripe yet.';
comment on column credits.reversals.withdrawals is 'How often the money of a dispute was withdrawn.';
comment on column credits.reversals.reinstatements is 'How often it was reinstated.';
comment on column credits.reversals.created_at is
'When the first event about it happened; of a failed payment the last one. By Stripe''s clock.';
comment on column credits.reversals.changed_at is 'When an event last said something new about it.';

comment on column credits.stripe_events.names is
'The ids at Stripe that it names: its object, and the payment intent, charge, invoice and subscription of it.';

comment on table credits.awaited_objects is
'Ids of objects at Stripe, as locks: of an event that waits for an object, and of the transaction that makes the '
'object known. Always empty for others: a transaction deletes its rows again.';

comment on table credits.event_decisions is
'What operators decided about events that were parked or waited, with their reasons.';
comment on column credits.event_decisions.number is '1, 2 … for each event.';
comment on column credits.event_decisions.decision is 'replayed (it was applied again) or dismissed.';
comment on column credits.event_decisions.outcome is 'The outcome of the event after that.';
