-- The only place where the ledger is written and a balance changes: one update of the locked wallet, one entry.
create or replace function credits.post_entry(
    p_account_id uuid,
    p_kind credits.entry_kind,
    p_tokens numeric,
    p_draws jsonb,
    p_module_id text default null,
    p_usage jsonb default null,
    p_price_id bigint default null,
    p_reference text default null,
    p_metadata jsonb default '{}',
    p_effective_at timestamptz default null,
    p_from_head numeric default 0,
    out seq bigint,
    out balance_after numeric
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock();
    v_actor constant text := credits.actor();
    v_posted_at timestamptz;
    v_debt numeric;
    v_hash bytea;
begin
    -- The next number and, a clock that steps back notwithstanding, a later time. The hash in the same update: a
    -- second
    -- one would cost a third more.
    update credits.wallets as w
    set
        balance = w.balance + p_tokens,
        head_free = w.head_free - p_from_head,
        seq = w.seq + 1,
        posted_at = greatest(v_now, w.posted_at + interval '1 microsecond'),
        head_hash = credits.entry_hash(
            w.head_hash, w.account_id, w.seq + 1,
            greatest(v_now, w.posted_at + interval '1 microsecond'),
            coalesce(p_effective_at, greatest(v_now, w.posted_at + interval '1 microsecond')),
            p_kind, p_tokens, w.balance + p_tokens, w.debt, p_draws,
            p_module_id, p_usage, p_price_id, p_reference, v_actor, p_metadata
        ),
        lifetime_granted = w.lifetime_granted + case when p_tokens > 0 and p_kind <> 'refund' then p_tokens else 0 end,
        lifetime_spent = w.lifetime_spent - case when p_kind in ('spend', 'refund') then p_tokens else 0 end
    where w.account_id = p_account_id
    returning w.seq, w.balance, w.debt, w.posted_at, w.head_hash
    into seq, balance_after, v_debt, v_posted_at, v_hash;

    insert into credits.entries (
        account_id, seq, posted_at, effective_at, kind, tokens, balance_after, debt_after, draws,
        module_id, usage, price_id, reference, actor, metadata, hash
    )
    values (
        p_account_id, seq, v_posted_at, coalesce(p_effective_at, v_posted_at), p_kind, p_tokens, balance_after,
        v_debt, p_draws,
        p_module_id, p_usage, p_price_id, p_reference, v_actor, p_metadata, v_hash
    );
end
$$;
comment on function credits.post_entry(
    uuid, credits.entry_kind, numeric, jsonb, text, jsonb, bigint, text, jsonb, timestamptz, numeric
) is
'Appends an entry to the chain of a locked wallet and moves its balance by p_tokens. The caller moves the lots; '
'p_from_head is what a spend takes from the head lot, whose tokens are on the wallet.';
