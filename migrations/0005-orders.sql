-- Buying: the order is written before Stripe is asked, and its snapshot is what gets granted.
set local role credits_owner;

create table credits.orders (
    account_id uuid not null,
    order_id uuid not null default gen_random_uuid(),
    state text not null default 'pending',
    pack_id text,
    package_name text not null,
    scope text,
    tokens credits.tokens not null,
    bonus_tokens credits.tokens not null default 0,
    expires_after interval,
    amount bigint not null,
    currency text not null,
    stripe_price_id text,
    checkout_session_id text,
    payment_intent_id text,
    parked_reason text,
    created_at timestamptz not null default clock_timestamp(),
    paid_at timestamptz,
    constraint orders_pkey primary key (account_id, order_id),
    constraint orders_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint orders_pack_fkey foreign key (pack_id) references credits.packs (pack_id),
    constraint orders_state_is_known check (state in ('pending', 'processing', 'paid', 'failed', 'expired', 'parked')),
    constraint orders_paid_has_time check ((state = 'paid') = (paid_at is not null)),
    constraint orders_parked_has_reason check ((state = 'parked') = (parked_reason is not null)),
    constraint orders_tokens_are_positive check (tokens > 0 and bonus_tokens >= 0),
    constraint orders_amount_is_positive check (amount > 0)
);
create index orders_pack_idx on credits.orders (pack_id);
comment on table credits.orders is
'Purchases, each with a snapshot of what was sold: the grant comes from here, never from what an event says.';
comment on column credits.orders.state is
'pending → processing (paid later) → paid, failed or expired; parked: money that does not match the order, for a '
'person to decide.';
comment on column credits.orders.amount is 'Price in minor units of currency.';

create table credits.stripe_events (
    event_id text not null,
    type text not null,
    object_id text,
    livemode boolean not null,
    outcome text,
    account_id uuid,
    order_id uuid,
    payload jsonb not null,
    received_at timestamptz not null default clock_timestamp(),
    constraint stripe_events_pkey primary key (event_id)
);
create index stripe_events_object_idx on credits.stripe_events (object_id);
comment on table credits.stripe_events is
'Every event that Stripe sent, once, with what it led to: written in the transaction of its effect.';
comment on column credits.stripe_events.outcome is
'granted, processing, failed, expired, parked, unmatched, duplicate (of the same purchase) or stored.';

create table credits.stripe_objects (
    object_id text not null,
    account_id uuid not null,
    order_id uuid not null,
    created_at timestamptz not null default clock_timestamp(),
    constraint stripe_objects_pkey primary key (object_id),
    constraint stripe_objects_order_fkey foreign key (account_id, order_id)
    references credits.orders (account_id, order_id)
);
create index stripe_objects_order_idx on credits.stripe_objects (account_id, order_id);
comment on table credits.stripe_objects is
'Stripe objects (sessions, payment intents) that have been granted: a purchase counts once, whichever of its events '
'come, and how often.';
