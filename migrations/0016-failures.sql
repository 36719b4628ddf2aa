-- Work that failed and was not charged: for the figures.
set local role credits_owner;

create table credits.failures (
    account_id uuid not null,
    failure_id uuid not null default gen_random_uuid(),
    module_id text not null,
    failed_at timestamptz not null,
    duration_ms numeric,
    metadata jsonb not null,
    constraint failures_pkey primary key (account_id, failure_id),
    constraint failures_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint failures_duration_is_sane check (duration_ms >= 0 and duration_ms < 1000000000000)
);
create index failures_module_idx on credits.failures (module_id, failed_at);
comment on table credits.failures is 'Uses of a module that failed: nothing was charged for them.';

create type api.failure_receipt as (
    failure_id uuid,
    user_id text,
    module_id text,
    failed_at timestamptz,
    replayed boolean
);
comment on type api.failure_receipt is 'A failed use, noted.';
