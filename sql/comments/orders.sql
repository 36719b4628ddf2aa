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
'order), or waiting (the order that it names does not exist yet, or has no session yet).';
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
