-- What Stripe's lists say: `pgcredits stripe pull` copies them, the audit compares them with the books.
set local role credits_owner;

-- How far each list was read. A page and its place are written in one transaction, so a reading goes on where it stops.
create table credits.stripe_cursors (
    list text not null,
    covers_from timestamptz,
    complete_until timestamptz,
    since timestamptz,
    began_at timestamptz,
    after text,
    constraint stripe_cursors_pkey primary key (list),
    constraint stripe_cursors_reading_has_begun check (after is null or began_at is not null),
    constraint stripe_cursors_cover_a_time check ((covers_from is null) = (complete_until is null))
);

create table credits.stripe_mirror (
    object_id text not null,
    kind text not null,
    bucket bigint not null,
    livemode boolean,
    status text,
    amount numeric,
    amount_back numeric,
    currency text,
    payment_intent_id text,
    charge_id text,
    named_account uuid,
    named_order uuid,
    created_at timestamptz not null,
    pulled_at timestamptz not null,
    payload jsonb not null,
    constraint stripe_mirror_pkey primary key (object_id),
    constraint stripe_mirror_bucket_is_sane check (bucket between 0 and 65535)
);
create index stripe_mirror_kind_idx on credits.stripe_mirror (kind, created_at);
create index stripe_mirror_order_idx on credits.stripe_mirror (named_account, named_order)
where named_order is not null;
create index stripe_mirror_payment_intent_idx on credits.stripe_mirror (payment_intent_id)
where payment_intent_id is not null;

-- Events that Stripe has. The payload is kept only of those that the bank did not get, until it has them.
create table credits.stripe_mirror_events (
    event_id text not null,
    bucket bigint not null,
    type text not null,
    object_id text,
    livemode boolean not null,
    created_at timestamptz not null,
    pulled_at timestamptz not null,
    payload jsonb,
    original bytea,
    constraint stripe_mirror_events_pkey primary key (event_id),
    constraint stripe_mirror_events_bucket_is_sane check (bucket between 0 and 65535)
);
create index stripe_mirror_events_object_idx on credits.stripe_mirror_events (object_id);

alter table credits.settings
add column stripe_delay interval not null default interval '1 hour',
add constraint settings_stripe_delay_is_sane check (
    stripe_delay >= interval '0' and stripe_delay <= interval '72 hours'
);

create type api.stripe_reading as (
    list text,
    path text,
    since bigint,
    after text
);

create type api.stripe_page as (
    list text,
    objects bigint,
    missed bigint,
    finished boolean
);

create type api.stripe_missing as (
    events text [],
    objects text []
);
