-- Limits of spending per day and month, by the user or by the operator.
set local role credits_owner;

alter table credits.wallets rename column next_expiry to due_at;
comment on column credits.wallets.due_at is
'Before this moment the clock changes nothing: no lot expires or is announced to, no day or month of a limit begins.';
comment on column credits.wallets.head_free is
'Tokens of head_lot, kept here and not on the lot''s row: as many as can go before a limit or a notice is reached.';

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
comment on table credits.spend_limits is
'What an account may spend in a day or month (UTC). A user sets and lifts their own; a service''s stands beside it.';
comment on column credits.spend_limits.period_starts is 'The day or month that spent_before belongs to.';
comment on column credits.spend_limits.spent_before is
'wallets.lifetime_spent when the period began: what was spent in it is the difference.';

create type api.spend_limit as (
    user_id text,
    period text,
    set_by text,
    tokens numeric,
    spent numeric,
    remaining numeric,
    resets_at timestamptz
);
comment on type api.spend_limit is 'What may be spent in a period, and what has been. tokens null: no limit.';
