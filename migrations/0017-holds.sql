-- Spending in two phases: tokens are held for work under way, and captured or released when it ends. Debt and
-- shortfalls for what a capture costs beyond that, and accounts frozen and thawed.
set local role credits_owner;

-- Domains instead of table CHECKs, which PostgreSQL parses anew at every statement.
create domain credits.hold_state as text
constraint hold_state_is_known check (value in ('open', 'captured', 'released', 'expired'));
comment on domain credits.hold_state is 'open until it is captured or released, or has expired: one transition.';

create table credits.holds (
    account_id uuid not null,
    hold_id uuid not null,
    module_id text not null,
    price_id bigint not null,
    usage jsonb not null,
    usage_left jsonb not null,
    tokens credits.amount not null,
    held credits.amount not null,
    captured credits.amount not null default 0,
    shortfall credits.amount not null default 0,
    draws jsonb not null,
    seqs bigint[] not null default '{}',
    state credits.hold_state not null default 'open',
    late boolean not null default false,
    failed boolean not null default false,
    reason text,
    by_service boolean not null,
    actor text not null,
    metadata jsonb not null,
    answer jsonb,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    finished_at timestamptz,
    constraint holds_pkey primary key (account_id, hold_id)
)
with (fillfactor = 70);
create index holds_open_idx on credits.holds (account_id, expires_at) where state = 'open';
comment on table credits.holds is
'Tokens reserved for work under way. One transition: open → captured, released or expired. From expires_at on an open '
'one counts for nothing, booked or not. No foreign keys, which would lock more rows: only definer functions write it, '
'under the wallet''s lock.';
comment on column credits.holds.price_id is 'The version of the price that it was made at: captures are charged by it.';
comment on column credits.holds.usage is 'The worst case that tokens were reserved for, per dimension.';
comment on column credits.holds.usage_left is 'Of this, what captures have not recorded yet.';
comment on column credits.holds.tokens is 'Tokens reserved at first.';
comment on column credits.holds.held is 'Tokens still reserved.';
comment on column credits.holds.captured is 'Tokens charged: what its entries add up to.';
comment on column credits.holds.shortfall is 'What its captures cost beyond that.';
comment on column credits.holds.draws is
'The lots that held is reserved in, first to be charged first: as in credits.entries.';
comment on column credits.holds.seqs is 'Its entries: the captures.';
comment on column credits.holds.late is 'Captured after it had expired, by a fresh debit.';
comment on column credits.holds.failed is 'Released for a reason that says that the work failed.';
comment on column credits.holds.by_service is
'Made by a service, which alone may then end it: a user could let go of it while the work is done.';
comment on column credits.holds.actor is 'The role or SQL login that made it, or ended it.';
comment on column credits.holds.answer is 'What hold_tokens answered under its key.';

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
comment on table credits.shortfalls is
'What finished work cost beyond what lots and debt could pay. Not part of any balance: for the operator to settle or '
'to write off.';
comment on column credits.shortfalls.entry_seq is 'The capture that charged what could be paid.';

alter table credits.accounts add column overdraft_limit credits.amount not null default 0;
comment on column credits.accounts.overdraft_limit is
'How far captures may take the account into debt. With more debt than this nothing new is spent or held.';

create table credits.status_changes (
    account_id uuid not null,
    change_id uuid not null default gen_random_uuid(),
    status credits.account_status not null,
    reason text,
    actor text not null,
    changed_at timestamptz not null,
    constraint status_changes_pkey primary key (account_id, change_id),
    constraint status_changes_account_fkey foreign key (account_id) references credits.accounts (account_id)
);
comment on table credits.status_changes is 'Who froze or thawed an account, when and why.';
comment on column credits.status_changes.status is 'What it was changed to.';

comment on column credits.wallets.due_at is
'Before this moment the clock changes nothing: no hold or lot expires, no lot is announced to, no day or month of a '
'limit begins.';
comment on column credits.entries.tokens is
'Change of the balance: of what is in the lots, less the change of the debt. Above zero in, below zero out.';
comment on column credits.entries.draws is
'The lots moved: [{"lot_id": seq of the granting entry, "tokens": how much, above zero}], in the order they were '
'taken. Into them when tokens is above zero, else out of them.';
comment on column credits.entries.debt_after is
'Debt after it: what a charge left unpaid by lots, and a repayment took off.';
comment on column credits.entries.reference is
'Order, reason or package that the entry belongs to; of a capture the hold, with :late after it when it was.';

create type api.hold_receipt as (
    hold_id text,
    user_id text,
    module_id text,
    state text,
    held numeric,
    balance numeric,
    available numeric,
    draws jsonb,
    expires_at timestamptz,
    replayed boolean
);
comment on type api.hold_receipt is
'Tokens held, the lots they are in, and what is left beside them (available: the balance less all that is held).';

create type api.capture_receipt as (
    hold_id text,
    entry_id text,
    user_id text,
    module_id text,
    state text,
    cost numeric,
    paid numeric,
    debt numeric,
    shortfall numeric,
    held numeric,
    released numeric,
    balance numeric,
    draws jsonb,
    late boolean,
    replayed boolean
);
comment on type api.capture_receipt is
'A charge on a hold. cost = paid + shortfall; paid is the entry''s tokens, debt the part of it that no lot paid. '
'released: tokens that went back; held: tokens that the hold still keeps.';

create type api.release_receipt as (
    hold_id text,
    user_id text,
    module_id text,
    state text,
    released numeric,
    captured numeric,
    replayed boolean
);
comment on type api.release_receipt is 'A hold that has ended: the tokens that went back, and those charged before.';

create type api.shortfall_receipt as (
    shortfall_id text,
    user_id text,
    tokens numeric,
    state text,
    replayed boolean
);
comment on type api.shortfall_receipt is 'A shortfall that was settled or written off.';

create type api.overdraft as (
    user_id text,
    tokens numeric,
    debt numeric
);
comment on type api.overdraft is 'How far captures may take an account into debt, and how much debt it has.';

create type api.account_standing as (
    user_id text,
    status text,
    reason text,
    changed_at timestamptz,
    replayed boolean
);
comment on type api.account_standing is 'Whether an account is frozen, since when and why. replayed: it was already.';

-- They learn to pin a price, to hold, and to take from what is held.
drop function if exists credits.price_usage(text, jsonb, timestamptz);
drop function if exists credits.draw_lots(uuid, text, numeric, timestamptz);
drop function if exists credits.post_entry(
    uuid, bigint, numeric, numeric, timestamptz, bytea, credits.entry_kind, numeric, jsonb, text, jsonb, bigint,
    text, jsonb, timestamptz, numeric, timestamptz
);
