-- Stripe events that wait for their order, the bytes of those that jsonb cannot hold, and whose events are accepted.
set local role credits_owner;

alter table credits.stripe_events
add column reason text,
add column original bytea,
add column looked_at timestamptz,
add column trouble text;
comment on column credits.stripe_events.outcome is
'granted, processing, failed, expired, parked, duplicate (of the same purchase), stored, unmatched (names no order), '
'or waiting: the order that it names is not there yet, or has no session yet.';
comment on column credits.stripe_events.account_id is
'The account that it names, together with order_id; null when it names none.';
comment on column credits.stripe_events.order_id is
'The order that it names. While the event waits, that order may not exist.';
comment on column credits.stripe_events.reason is 'Why it is parked or waits.';
comment on column credits.stripe_events.payload is
'The event. Where original is set, what jsonb cannot hold was replaced in it.';
comment on column credits.stripe_events.original is
'The bytes that Stripe sent, for an event that holds what jsonb cannot hold; else null.';
comment on column credits.stripe_events.looked_at is
'When maintenance last failed to apply it while it waited; null: never.';
comment on column credits.stripe_events.trouble is 'The error of that failure.';

-- An event whose order could not be seen was lost until now. Those that name an order are looked at again.
update credits.stripe_events as e
set
    outcome = 'waiting',
    account_id = (e.payload #>> '{data,object,client_reference_id}')::uuid,
    order_id = (e.payload #>> '{data,object,metadata,order_id}')::uuid
where
    e.outcome = 'unmatched'
    and e.payload #>> '{data,object,object}' = 'checkout.session'
    and e.payload #>> '{data,object,client_reference_id}'
    ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
    and e.payload #>> '{data,object,metadata,order_id}'
    ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
create index stripe_events_waiting_idx on credits.stripe_events (account_id, order_id) where outcome = 'waiting';

alter table credits.settings
add column stripe_accounts text[] not null default '{}',
add column stripe_livemode boolean;
comment on column credits.settings.stripe_accounts is
'Connected Stripe accounts whose events are accepted beside our own; see credits.accept_stripe_accounts.';
comment on column credits.settings.stripe_livemode is
'Which events are accepted: live (true), test (false), or both (null); see credits.accept_stripe_livemode.';

alter type api.maintenance add attribute events bigint;
comment on type api.maintenance is
'How many accounts were brought up to date, how many idempotency keys were forgotten, and how many Stripe events that '
'waited were applied.';
