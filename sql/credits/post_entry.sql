-- The only place where the ledger is written and a balance changes: one entry, one update of the locked wallet.
create or replace function credits.post_entry(
    p_wallet credits.wallets,
    p_kind credits.entry_kind,
    p_tokens numeric,
    p_draws jsonb,
    p_module_id text default null,
    p_usage jsonb default null,
    p_price_id bigint default null,
    p_reference text default null,
    p_metadata jsonb default '{}',
    p_effective_at timestamptz default null
)
returns credits.entries
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_entry credits.entries;
begin
    v_entry.account_id := p_wallet.account_id;
    v_entry.seq := p_wallet.seq + 1;
    -- A clock that steps back must not reorder the ledger.
    v_entry.posted_at := greatest(credits.clock(), p_wallet.posted_at + interval '1 microsecond');
    v_entry.effective_at := coalesce(p_effective_at, v_entry.posted_at);
    v_entry.kind := p_kind;
    v_entry.tokens := p_tokens;
    v_entry.balance_after := p_wallet.balance + p_tokens;
    v_entry.debt_after := p_wallet.debt;
    v_entry.draws := p_draws;
    v_entry.module_id := p_module_id;
    v_entry.usage := p_usage;
    v_entry.price_id := p_price_id;
    v_entry.reference := p_reference;
    v_entry.actor := credits.actor();
    v_entry.metadata := p_metadata;
    v_entry.hash := credits.entry_hash(p_wallet.head_hash, v_entry);

    insert into credits.entries values (v_entry.*);

    update credits.wallets as w
    set
        balance = v_entry.balance_after,
        seq = v_entry.seq,
        head_hash = v_entry.hash,
        posted_at = v_entry.posted_at,
        lifetime_granted = w.lifetime_granted + case when p_tokens > 0 and p_kind <> 'refund' then p_tokens else 0 end,
        lifetime_spent = w.lifetime_spent - case when p_kind in ('spend', 'refund') then p_tokens else 0 end
    where w.account_id = p_wallet.account_id;
    return v_entry;
end
$$;
comment on function credits.post_entry(
    credits.wallets, credits.entry_kind, numeric, jsonb, text, jsonb, bigint, text, jsonb, timestamptz
) is 'Appends an entry to the chain of a locked wallet and moves its balance by p_tokens. The caller moves the lots.';
