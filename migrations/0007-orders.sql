-- Buying. The order is written before Stripe is asked, with a snapshot of what is sold: that is what gets granted.
set local role credits_owner;

create table credits.orders (
    account_id uuid not null,
    order_id uuid not null default gen_random_uuid(),
    state text not null default 'pending',
    parked_reason text,
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
create index orders_checkout_session_idx on credits.orders (checkout_session_id)
where checkout_session_id is not null;
-- The orders that nobody went on with.
create index orders_without_checkout_idx on credits.orders (created_at)
where state = 'pending' and checkout_session_id is null;

-- Written in the transaction of the effect, so that an event counts once.
create table credits.stripe_events (
    event_id text not null,
    bucket bigint not null,
    type text not null,
    object_id text,
    livemode boolean not null,
    account_id uuid,
    order_id uuid,
    outcome text,
    reason text,
    payload jsonb not null,
    original bytea,
    received_at timestamptz not null default clock_timestamp(),
    looked_at timestamptz,
    trouble text,
    constraint stripe_events_pkey primary key (event_id),
    constraint stripe_events_bucket_is_sane check (bucket between 0 and 65535)
);
create index stripe_events_object_idx on credits.stripe_events (object_id);
create index stripe_events_waiting_idx on credits.stripe_events (account_id, order_id) where outcome = 'waiting';

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
