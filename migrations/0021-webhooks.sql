-- Webhooks of the bank: where products are told what happened, and every message to them.
set local role credits_owner;

create table credits.webhook_endpoints (
    endpoint_id uuid not null default gen_random_uuid(),
    url text not null,
    kinds text[],
    description text,
    created_by text not null,
    created_at timestamptz not null,
    enabled_at timestamptz not null,
    disabled_at timestamptz,
    disabled_reason text,
    failing_since timestamptz,
    constraint webhook_endpoints_pkey primary key (endpoint_id),
    constraint webhook_endpoints_take_something check (kinds is null or cardinality(kinds) > 0),
    constraint webhook_endpoints_disabled_has_reason check ((disabled_at is null) = (disabled_reason is null))
);

-- One for each endpoint, and for a day the one before it. They stand apart because an auditor reads the endpoints.
create table credits.webhook_secrets (
    endpoint_id uuid not null,
    secret text not null,
    created_at timestamptz not null,
    valid_until timestamptz,
    constraint webhook_secrets_pkey primary key (endpoint_id, secret),
    constraint webhook_secrets_endpoint_fkey foreign key (endpoint_id)
    references credits.webhook_endpoints (endpoint_id),
    constraint webhook_secrets_are_random check (secret ~ '^whsec_[A-Za-z0-9+/]{43}=$')
);
create unique index webhook_secrets_one_lasts on credits.webhook_secrets (endpoint_id) where valid_until is null;

create table credits.webhook_changes (
    endpoint_id uuid not null,
    change_id uuid not null default gen_random_uuid(),
    change text not null,
    reason text not null,
    actor text not null,
    changed_at timestamptz not null,
    constraint webhook_changes_pkey primary key (endpoint_id, change_id),
    constraint webhook_changes_endpoint_fkey foreign key (endpoint_id)
    references credits.webhook_endpoints (endpoint_id),
    constraint webhook_changes_are_known check (change in ('disabled', 'enabled', 'new_secret', 'replayed'))
);

-- Written in the transaction that caused the notice. The id of the message is that of the notice, so it never changes.
create table credits.webhook_deliveries (
    account_id uuid not null,
    notice_id uuid not null,
    endpoint_id uuid not null,
    state text not null default 'pending',
    tries bigint not null default 0,
    due_at timestamptz not null,
    lease uuid,
    last_status bigint,
    last_trouble text,
    last_tried_at timestamptz,
    delivered_at timestamptz,
    created_at timestamptz not null,
    constraint webhook_deliveries_pkey primary key (account_id, notice_id, endpoint_id),
    constraint webhook_deliveries_notice_fkey foreign key (account_id, notice_id)
    references credits.outbox (account_id, notice_id),
    constraint webhook_deliveries_endpoint_fkey foreign key (endpoint_id)
    references credits.webhook_endpoints (endpoint_id),
    constraint webhook_deliveries_state_is_known check (state in ('pending', 'delivered', 'failed')),
    constraint webhook_deliveries_delivered_has_time check ((state = 'delivered') = (delivered_at is not null)),
    constraint webhook_deliveries_tries_are_sane check (tries >= 0)
);
create index webhook_deliveries_due_idx on credits.webhook_deliveries (endpoint_id, due_at) where state = 'pending';
create index webhook_deliveries_endpoint_idx on credits.webhook_deliveries (endpoint_id, created_at);
create index webhook_deliveries_delivered_idx on credits.webhook_deliveries (delivered_at)
where delivered_at is not null;

create type api.webhook as (
    endpoint_id uuid,
    url text,
    kinds text [],
    description text,
    state text,
    reason text,
    secret text
);

create type api.webhook_replay as (
    endpoint_id uuid,
    messages bigint
);

create type api.webhook_batch as (
    messages jsonb
);

create type api.webhook_result as (
    state text,
    due_at timestamptz,
    endpoint_state text
);
