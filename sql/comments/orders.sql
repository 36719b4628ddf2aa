-- What stands where, for people and for /schema: the shape itself is in migrations/0007-orders.sql.
comment on table credits.orders is
'Purchases, each with a snapshot of what was sold: the grant comes from here, never from what an event says.';
comment on column credits.orders.state is
'pending → processing (paid later) → paid, failed or expired; parked: money that does not match the order, for a '
'person to decide.';
comment on column credits.orders.amount is 'Price in minor units of currency.';
comment on index credits.orders_checkout_session_idx is 'Of which order a Checkout session is.';

comment on table credits.stripe_events is
'Every event that Stripe sent, once, with what it led to: written in the transaction of its effect.';
comment on column credits.stripe_events.bucket is
'Where it belongs when the bank is on several servers: the bucket of the account that its object names, else of its '
'own id. See docs/scaling.md.';
comment on column credits.stripe_events.account_id is
'The account that it names, together with order_id; null when it names none.';
comment on column credits.stripe_events.order_id is
'The order that it names. While the event waits, that order may not exist.';
comment on column credits.stripe_events.outcome is
'granted, processing, failed, expired, parked, duplicate (of the same purchase), stored, unmatched (names no '
'order), or waiting: the order that it names is not there yet, or has no session yet.';
comment on column credits.stripe_events.reason is 'Why it is parked or waits.';
comment on column credits.stripe_events.payload is
'The event. Where original is set, what jsonb cannot hold was replaced in it.';
comment on column credits.stripe_events.original is
'The bytes that Stripe sent, for an event that holds what jsonb cannot hold; else null.';
comment on column credits.stripe_events.looked_at is
'When maintenance last failed to apply it while it waited; null: never.';
comment on column credits.stripe_events.trouble is 'The error of that failure.';

comment on table credits.stripe_objects is
'Stripe objects (sessions, payment intents) that have been granted: a purchase counts once, whichever of its events '
'come, and how often.';
