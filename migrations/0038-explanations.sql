-- Books that explain themselves: what one entry is made of, and what a balance is made of. A charge knows its refunds,
-- so that a receipt need not search the ledger for them.
set local role credits_owner;

alter table credits.charge_refunds
add column refund_seqs bigint[] not null default '{}';
update credits.charge_refunds as r
set refund_seqs = x.seqs
from (
    select
        e.account_id,
        e.refunds_seq,
        array_agg(e.seq order by e.seq) as seqs
    from credits.entries as e
    where e.refunds_seq is not null
    group by e.account_id, e.refunds_seq
) as x
where r.account_id = x.account_id and r.seq = x.refunds_seq;

create type api.entry_receipt as (
    entry_id text,
    user_id text,
    seq bigint,
    kind text,
    what text,
    posted_at timestamptz,
    effective_at timestamptz,
    tokens numeric,
    balance_before numeric,
    balance_after numeric,
    debt_before numeric,
    debt_after numeric,
    module_id text,
    usage jsonb,
    price jsonb,
    parts jsonb,
    calculation jsonb,
    lots jsonb,
    purchase jsonb,
    hold jsonb,
    refunds_entry text,
    refunded numeric,
    refunds jsonb,
    metadata jsonb,
    previous_hash text,
    hash text,
    tags jsonb
);

create type api.balance_explanation as (
    user_id text,
    at timestamptz,
    balance numeric,
    balance_posted numeric,
    debt numeric,
    held numeric,
    opening numeric,
    movements jsonb,
    holds jsonb,
    lots jsonb,
    before_seq bigint
);

create type audit.balance_line as (
    place bigint,
    line text,
    posted_at timestamptz,
    tokens numeric,
    balance_posted numeric,
    balance_effective numeric,
    what text,
    kind text,
    debt numeric,
    held numeric,
    effective_at timestamptz,
    expires_at timestamptz,
    seq bigint,
    entry_id text,
    hold_id text
);
