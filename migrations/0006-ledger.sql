-- The ledger: lots of tokens, the append-only entries that move them, and the keys of calls already answered.
set local role credits_owner;

create table credits.entry_kinds (
    kind credits.entry_kind not null,
    counter_account text not null,
    description text not null,
    constraint entry_kinds_pkey primary key (kind)
);
comment on table credits.entry_kinds is 'The other side of each kind of entry: double entry by construction.';
insert into credits.entry_kinds (kind, counter_account, description) values
('purchase', 'cash', 'tokens bought'),
('bonus', 'promotions', 'tokens that came free with a pack'),
('grant', 'promotions', 'tokens given by the operator'),
('welcome', 'promotions', 'tokens given at sign-up'),
('promo', 'promotions', 'tokens given for a code'),
('referral', 'promotions', 'tokens given for bringing somebody'),
('allowance', 'subscriptions', 'tokens of a plan''s period'),
('rollover', 'subscriptions', 'tokens carried over from the period before'),
('spend', 'usage', 'tokens charged for the use of a module'),
('refund', 'usage', 'a charge undone'),
('expire', 'breakage', 'tokens that passed their date'),
('reversal', 'cash', 'tokens taken back because their money was'),
('reinstatement', 'cash', 'a reversal undone'),
('repayment', 'debt', 'debt paid by a purchase'),
('adjustment', 'adjustments', 'a correction by the operator');

create table credits.entries (
    account_id uuid not null,
    seq bigint not null,
    posted_at timestamptz not null,
    effective_at timestamptz not null,
    kind credits.entry_kind not null,
    tokens credits.tokens not null,
    balance_after credits.tokens not null,
    debt_after credits.tokens not null,
    draws jsonb not null,
    module_id text,
    usage jsonb,
    price_id bigint,
    reference text,
    actor text not null,
    metadata jsonb not null,
    hash bytea not null,
    -- The partition key has to be in it; (account_id, seq) alone is unique by construction: seq comes from the locked
    -- wallet.
    constraint entries_pkey primary key (account_id, seq, posted_at)
) partition by range (posted_at);
comment on table credits.entries is
'The ledger. Append-only, partitioned by month, a hash chain per account. No foreign keys: only definer functions '
'write it, under the wallet''s lock.';
comment on column credits.entries.seq is '1, 2, 3 … per account, without gaps.';
comment on column credits.entries.posted_at is
'When it was written, after the lock was taken; rises strictly with seq.';
comment on column credits.entries.effective_at is
'When it happened: for an expiry the moment the lot expired, else posted_at.';
comment on column credits.entries.tokens is 'Change of the balance: above zero in, below zero out.';
comment on column credits.entries.draws is
'The lots moved: [{"lot_id": seq of the granting entry, "tokens": how much, above zero}], in the order they were '
'taken.';
comment on column credits.entries.usage is 'What was used, per dimension.';
comment on column credits.entries.reference is 'Order, reason or package that the entry belongs to.';
comment on column credits.entries.actor is 'The role or SQL login that caused it. Never a person''s name.';
comment on column credits.entries.hash is 'sha256 over the fields and the hash before: see credits.entry_hash.';

create table credits.lots (
    account_id uuid not null,
    lot_id bigint not null,
    source credits.entry_kind not null,
    package_name text,
    granted credits.amount not null,
    remaining credits.amount not null,
    held credits.amount not null default 0,
    priority bigint not null,
    scope text,
    effective_at timestamptz not null,
    expires_at timestamptz,
    unit_cost credits.unit_cost not null default 0,
    currency text,
    order_id uuid,
    frozen boolean not null default false,
    live boolean not null default true,
    constraint lots_pkey primary key (account_id, lot_id),
    constraint lots_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint lots_order_fkey foreign key (account_id, order_id) references credits.orders (account_id, order_id)
)
with (fillfactor = 70);
-- On live and not on remaining: a draw stays a HOT update until the lot is empty.
create index lots_live_idx on credits.lots (account_id, lot_id) where live;
create unique index lots_order_is_granted_once on credits.lots (account_id, order_id, source)
where order_id is not null;
comment on table credits.lots is
'Tokens that came in together and share a price, a scope and an expiry. Spent in burn order: see credits.draw_lots. '
'0 <= held <= remaining <= granted: the domains refuse what is negative, audit.check_lots proves the rest.';
comment on column credits.lots.lot_id is 'The seq of the entry that granted it.';
comment on column credits.lots.priority is 'Lower is spent first.';
comment on column credits.lots.scope is 'module:ID or category:ID that the tokens are bound to; null: any.';
comment on column credits.lots.unit_cost is 'Money really paid for one token, in minor units of currency.';
comment on column credits.lots.live is 'Has tokens in it.';
comment on column credits.lots.frozen is 'Not spendable while the payment is disputed.';

create table credits.idempotency_keys (
    account_id uuid not null,
    operation text not null,
    key text not null,
    fingerprint bytea not null,
    reference text not null,
    created_at timestamptz not null,
    constraint idempotency_keys_pkey primary key (account_id, operation, key)
);
comment on table credits.idempotency_keys is
'Calls already answered, kept 35 days: the same key with the same arguments gets the same answer. A refusal leaves '
'no key.';
comment on column credits.idempotency_keys.fingerprint is 'sha256 of the arguments.';
comment on column credits.idempotency_keys.reference is
'What the call made, from which its answer is told again: the seq of an entry, or an order_id.';
