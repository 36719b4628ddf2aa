-- Writing to the ledger: compute the hash of an entry, and insert it. Nothing else happens here. Each caller has locked
-- the wallet, and updates it: seq, balance, posted_at and head_hash become those of the entry.
--
-- A spend and a capture do the same inline, because a call would cost more than the row. credits.spend_plain does it
-- for many entries at once. A property test compares these three ways.

create or replace function credits.write_entry(p_entry credits.entries, p_previous_hash bytea)
returns credits.entries
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    p_entry.hash := credits.entry_hash(p_previous_hash, p_entry);
    insert into credits.entries select p_entry.*;
    return p_entry;
end
$$;
comment on function credits.write_entry(credits.entries, bytea) is
'Appends an entry to the chain of a locked wallet, whose last hash is p_previous_hash. Returns the entry with its '
'hash.';

create or replace function credits.next_entry(
    p_wallet credits.wallets, p_kind credits.entry_kind, p_tokens numeric, p_draws jsonb, p_at timestamptz default null
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
    v_entry.posted_at := greatest(
        coalesce(p_at, p_wallet.test_clock, credits.clock()), p_wallet.posted_at + interval '1 microsecond'
    );
    v_entry.effective_at := v_entry.posted_at;
    v_entry.kind := p_kind;
    v_entry.tokens := p_tokens;
    v_entry.balance_after := p_wallet.balance + p_tokens;
    v_entry.debt_after := p_wallet.debt;
    v_entry.draws := p_draws;
    v_entry.actor := credits.agent();
    v_entry.metadata := '{}';
    return v_entry;
end
$$;
comment on function credits.next_entry(credits.wallets, credits.entry_kind, numeric, jsonb, timestamptz) is
'The next entry of a wallet, which changes its balance by p_tokens and leaves its debt alone. The caller fills in the '
'rest, and calls credits.write_entry.';
