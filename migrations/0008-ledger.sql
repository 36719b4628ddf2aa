-- The books: the wallet that a spend locks, the append-only entries, the lots that they move, what of a charge was
-- refunded, and the keys of calls already answered.
set local role credits_owner;

create table credits.wallets (
    -- What always has the same width comes first: PostgreSQL finds it without a walk over what comes before.
    account_id uuid not null,
    seq bigint not null default 0,
    posted_at timestamptz not null default '-infinity',
    due_at timestamptz not null default 'infinity',
    unpaid bigint not null default 0,
    unpaid_holds bigint not null default 0,
    unpaid_until timestamptz not null default '-infinity',
    head_quiet boolean not null default false,
    head_lot bigint,
    test_clock timestamptz,
    status credits.account_status not null default 'active',
    balance credits.tokens not null default 0,
    held credits.amount not null default 0,
    debt credits.amount not null default 0,
    head_permit credits.amount not null default 0,
    head_taken credits.amount not null default 0,
    head_reserved credits.tokens not null default 0,
    lifetime_granted credits.amount not null default 0,
    lifetime_spent credits.amount not null default 0,
    head_hash bytea not null default '\x',
    constraint wallets_pkey primary key (account_id),
    constraint wallets_account_fkey foreign key (account_id) references credits.accounts (account_id)
)
-- Every spend updates this row: room for HOT updates on its page, and no index but the key.
with (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);

-- Double entry by construction: the other side of each kind of entry.
create table credits.entry_kinds (
    kind credits.entry_kind not null,
    counter_account text not null,
    description text not null,
    constraint entry_kinds_pkey primary key (kind)
);
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
('byok', 'usage', 'use with the user''s own key: recorded, not charged'),
('refund', 'usage', 'a charge undone'),
('expire', 'breakage', 'tokens that passed their date'),
('reversal', 'cash', 'tokens taken back because their money was'),
('reinstatement', 'cash', 'a reversal undone'),
('repayment', 'debt', 'debt paid by a purchase'),
('adjustment', 'adjustments', 'a correction by the operator');

-- No foreign keys, which would lock a second row in every spend: only definer functions write it, under the wallet's
-- lock.
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
    order_id uuid,
    hold_id uuid,
    late boolean,
    refunds_seq bigint,
    campaign_id text,
    package_name text,
    actor text not null,
    metadata jsonb not null,
    hash bytea not null,
    -- The partition key has to be in it; (account_id, seq) alone is unique by construction: seq comes from the locked
    -- wallet.
    constraint entries_pkey primary key (account_id, seq, posted_at)
) partition by range (posted_at);

create table credits.lots (
    account_id uuid not null,
    lot_id bigint not null,
    priority bigint not null,
    source credits.entry_kind not null,
    live boolean not null default true,
    frozen boolean not null default false,
    announced boolean not null default false,
    effective_at timestamptz not null,
    expires_at timestamptz,
    granted credits.amount not null,
    remaining credits.amount not null,
    held credits.amount not null default 0,
    scope text,
    order_id uuid,
    package_name text,
    unit_cost credits.unit_cost not null default 0,
    currency text,
    constraint lots_pkey primary key (account_id, lot_id),
    constraint lots_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint lots_order_fkey foreign key (account_id, order_id) references credits.orders (account_id, order_id)
)
with (fillfactor = 70);
-- On live and not on remaining: a draw stays a HOT update until the lot is empty.
create index lots_live_idx on credits.lots (account_id, lot_id) where live;
create unique index lots_order_is_granted_once on credits.lots (account_id, order_id, source)
where order_id is not null;

create table credits.charge_refunds (
    account_id uuid not null,
    seq bigint not null,
    refunded credits.amount not null,
    constraint charge_refunds_pkey primary key (account_id, seq),
    constraint charge_refunds_account_fkey foreign key (account_id) references credits.accounts (account_id)
);

-- Without a foreign key for the same reason as entries.
create table credits.idempotency_keys (
    account_id uuid not null,
    operation text not null,
    key text not null,
    fingerprint bytea,
    entry_seq bigint,
    made_id uuid,
    options jsonb,
    created_at timestamptz not null,
    constraint idempotency_keys_pkey primary key (account_id, operation, key)
);
-- To forget old keys. No brin: what it knows of a range of pages never narrows, and once new keys have taken the places
-- of forgotten ones, every range seems to be old.
create index idempotency_keys_created_idx on credits.idempotency_keys (created_at);
