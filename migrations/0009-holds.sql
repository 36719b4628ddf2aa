-- Spending in two phases: tokens are held for work under way, and captured or released when it ends. Shortfalls are
-- what a capture costs beyond what lots and debt can pay; failures are uses that were not charged.
set local role credits_owner;

-- One transition: from open to one of the others.
create domain credits.hold_state as text
constraint hold_state_is_known check (value in ('open', 'captured', 'released', 'expired'));

-- No foreign keys, which would lock more rows: only definer functions write it, under the wallet's lock.
create table credits.holds (
    account_id uuid not null,
    hold_id uuid not null,
    state credits.hold_state not null default 'open',
    module_id text not null,
    price_id bigint not null,
    price_source text not null default 'module',
    usage jsonb not null,
    usage_left jsonb not null,
    tokens credits.amount not null,
    held credits.amount not null,
    captured credits.amount not null default 0,
    shortfall credits.amount not null default 0,
    draws jsonb not null,
    seqs bigint[] not null default '{}',
    late boolean not null default false,
    failed boolean not null default false,
    reason text,
    by_service boolean not null,
    actor text not null,
    metadata jsonb not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    finished_at timestamptz,
    ttl numeric not null,
    first_balance credits.tokens not null,
    first_held credits.amount not null,
    first_draws jsonb not null,
    constraint holds_pkey primary key (account_id, hold_id)
)
with (fillfactor = 70);
create index holds_open_idx on credits.holds (account_id, expires_at) where state = 'open';

create table credits.shortfalls (
    account_id uuid not null,
    shortfall_id uuid not null default gen_random_uuid(),
    hold_id uuid not null,
    entry_seq bigint not null,
    tokens credits.amount not null,
    state text not null default 'open',
    created_at timestamptz not null,
    closed_at timestamptz,
    constraint shortfalls_pkey primary key (account_id, shortfall_id),
    constraint shortfalls_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint shortfalls_hold_fkey foreign key (account_id, hold_id) references credits.holds (account_id, hold_id),
    constraint shortfalls_state_is_known check (state in ('open', 'settled', 'written_off')),
    constraint shortfalls_closed_has_time check ((state = 'open') = (closed_at is null)),
    constraint shortfalls_tokens_are_positive check (tokens > 0)
);
create unique index shortfalls_one_per_entry_idx on credits.shortfalls (account_id, entry_seq);
create index shortfalls_hold_idx on credits.shortfalls (account_id, hold_id);

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
