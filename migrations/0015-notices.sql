-- Notices: low balance, depleted, expiring soon. Rows of the outbox, written by the transaction that caused them.
set local role credits_owner;

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
comment on table credits.notice_rules is
'When users are told something, in this bank. low_balance: below so many tokens, or so many percent of the last grant.';
comment on column credits.notice_rules.ahead is 'How long before it expires a lot is announced.';

create table credits.notice_levels (
    account_id uuid not null,
    below credits.amount,
    percent numeric,
    last_grant credits.amount not null default 0,
    low_armed boolean not null default true,
    depleted_armed boolean not null default true,
    constraint notice_levels_pkey primary key (account_id),
    constraint notice_levels_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint notice_levels_percent_is_sane check (percent > 0 and percent < 100),
    constraint notice_levels_one_threshold check (num_nonnulls(below, percent) < 2)
);
comment on table credits.notice_levels is
'Where an account stands with its notices. Armed: falling through the threshold writes one, and disarms; above 110 '
'percent of it the next is armed. No row: armed, and nothing granted yet.';
comment on column credits.notice_levels.below is 'The user''s own threshold for low_balance, instead of the rule''s.';
comment on column credits.notice_levels.percent is 'The same, as percent of the last grant.';
comment on column credits.notice_levels.last_grant is 'Tokens of the last grant, with what came free with it.';

alter table credits.lots add column announced boolean not null default false;
comment on column credits.lots.announced is 'Its coming expiry has been put in the outbox.';

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
comment on table credits.outbox is
'What users are to be told, written in the transaction that caused it. Whoever delivers reads api.notices and '
'acknowledges.';
comment on column credits.outbox.facts is 'balance, threshold, lot_id, tokens, expires_at: as the kind has them.';

create type api.low_balance as (
    user_id text,
    below numeric,
    percent numeric,
    threshold numeric
);
comment on type api.low_balance is
'When a user is told that the balance is low: below so many tokens, or percent of the last grant; threshold is what '
'that is now. All null: as the bank''s rule has it, and it has none.';

create type api.acknowledgement as (
    notices bigint
);
comment on type api.acknowledgement is 'How many notices were marked as delivered now.';

create type api.maintenance as (
    accounts bigint
);
comment on type api.maintenance is 'How many accounts were brought up to date.';
