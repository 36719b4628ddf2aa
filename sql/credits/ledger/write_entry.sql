-- Where the ledger is written: a row in, its hash computed, and nothing else. Each caller holds the wallet's lock, and
-- owns its update of the wallet: seq, balance, posted_at and head_hash become those of the entry.
--
-- A spend and a capture have this inline, since a call costs them more than the row; credits.spend_plain does it for
-- many at once. A property test compares the ways.

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
'Appends an entry to the chain of a locked wallet, whose last hash is p_previous_hash, and returns it with its own.';

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
    v_entry.actor := credits.actor();
    v_entry.metadata := '{}';
    return v_entry;
end
$$;
comment on function credits.next_entry(credits.wallets, credits.entry_kind, numeric, jsonb, timestamptz) is
'The entry that comes next on a wallet, moves its balance by p_tokens and leaves its debt alone. The caller fills in '
'what else there is to say, and has credits.write_entry write it.';
