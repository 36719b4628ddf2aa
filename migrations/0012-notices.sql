-- What an account may spend in a day or a month, and what its user is told: low balance, depleted, expiring soon.
set local role credits_owner;

create table credits.spend_limits (
    account_id uuid not null,
    set_by text not null,
    period text not null,
    tokens credits.amount not null,
    period_starts timestamptz not null,
    spent_before credits.tokens not null,
    constraint spend_limits_pkey primary key (account_id, set_by, period),
    constraint spend_limits_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint spend_limits_set_by_is_known check (set_by in ('user', 'service')),
    constraint spend_limits_period_is_known check (period in ('day', 'month'))
);

create table credits.notice_rules (
    kind text not null,
    below credits.amount,
    percent numeric,
    ahead interval,
    constraint notice_rules_pkey primary key (kind),
    constraint notice_rules_kind_is_known check (kind in ('low_balance', 'depleted', 'expiring_soon')),
    constraint notice_rules_say_when check (
        case kind
            when 'low_balance' then num_nonnulls(below, percent) = 1 and ahead is null
            when 'depleted' then num_nonnulls(below, percent, ahead) = 0
            else num_nonnulls(below, percent) = 0 and coalesce(ahead > interval '0', false)
        end
    ),
    constraint notice_rules_percent_is_sane check (percent > 0 and percent < 100),
    constraint notice_rules_below_is_positive check (below > 0)
);

create table credits.notice_levels (
    account_id uuid not null,
    below credits.amount,
    percent numeric,
    basis credits.amount not null default 0,
    last_purchase credits.amount not null default 0,
    low_armed boolean not null default true,
    depleted_armed boolean not null default true,
    constraint notice_levels_pkey primary key (account_id),
    constraint notice_levels_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint notice_levels_percent_is_sane check (percent > 0 and percent < 100),
    constraint notice_levels_one_threshold check (num_nonnulls(below, percent) < 2)
);

-- Written in the transaction that caused the notice.
create table credits.outbox (
    account_id uuid not null,
    notice_id uuid not null default gen_random_uuid(),
    kind text not null,
    facts jsonb not null,
    created_at timestamptz not null,
    delivered_at timestamptz,
    constraint outbox_pkey primary key (account_id, notice_id),
    constraint outbox_account_fkey foreign key (account_id) references credits.accounts (account_id)
);
create index outbox_pending_idx on credits.outbox (created_at) where delivered_at is null;
