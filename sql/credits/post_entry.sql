-- Where the ledger is written and a balance changes: one update of the locked wallet, one entry. (For batches
-- credits.spend_many writes the same, many at once; a property test compares the two.)
-- The caller read the wallet under its lock and hands over what the entry builds on: plain numbers, since PostgreSQL
-- makes every expression ready anew in every transaction, and these are the expressions of every spend.
-- For the same reason callers assign what it returns (PERFORM is a statement), and conditions stand within
-- conditions (both sides of an AND are made ready).
create or replace function credits.post_entry(
    p_account_id uuid,
    p_seq bigint,
    p_balance numeric,
    p_debt numeric,
    p_previous_at timestamptz,
    p_previous_hash bytea,
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
    p_at timestamptz default null,
    p_unheld numeric default null,
    p_head_unheld numeric default 0
)
returns numeric
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    -- A clock that steps back must not reorder the ledger.
    v_posted_at constant timestamptz := greatest(
        coalesce(p_at, credits.clock(p_account_id)), coalesce(p_previous_at + interval '1 microsecond', '-infinity')
    );
    v_effective_at constant timestamptz := coalesce(p_effective_at, v_posted_at);
    v_balance constant numeric := p_balance + p_tokens;
    v_actor constant text := credits.actor();
    v_hash constant bytea := credits.entry_hash(
        p_previous_hash, p_account_id, p_seq, v_posted_at, v_effective_at, p_kind, p_tokens, v_balance, p_debt,
        p_draws, p_module_id, p_usage, p_price_id, p_reference, v_actor, p_metadata
    );
begin
    insert into credits.entries (
        account_id, seq, posted_at, effective_at, kind, tokens, balance_after, debt_after, draws,
        module_id, usage, price_id, reference, actor, metadata, hash
    )
    values (
        p_account_id, p_seq, v_posted_at, v_effective_at, p_kind, p_tokens, v_balance, p_debt, p_draws,
        p_module_id, p_usage, p_price_id, p_reference, v_actor, p_metadata, v_hash
    );

    -- The hash in the same update: a second one would cost a third more.
    if (p_kind = 'spend' and p_unheld is null) is true then
        update credits.wallets as w
        set
            seq = p_seq, balance = v_balance, posted_at = v_posted_at, head_hash = v_hash,
            head_free = w.head_free - p_from_head, lifetime_spent = w.lifetime_spent - p_tokens
        where w.account_id = p_account_id;
    elsif (p_kind = 'spend') is true then
        update credits.wallets as w
        set
            seq = p_seq, balance = v_balance, posted_at = v_posted_at, head_hash = v_hash,
            held = w.held - p_unheld, debt = p_debt, lifetime_spent = w.lifetime_spent - p_tokens,
            head_free = w.head_free - p_from_head, head_held = w.head_held - p_head_unheld
        where w.account_id = p_account_id;
    elsif (p_kind = 'refund') is true then
        update credits.wallets as w
        set
            seq = p_seq, balance = v_balance, posted_at = v_posted_at, head_hash = v_hash, debt = p_debt,
            lifetime_spent = w.lifetime_spent - p_tokens
        where w.account_id = p_account_id;
    else
        update credits.wallets as w
        set
            seq = p_seq, balance = v_balance, posted_at = v_posted_at, head_hash = v_hash, debt = p_debt,
            lifetime_granted = w.lifetime_granted + greatest(coalesce(p_tokens, 0), 0)
        where w.account_id = p_account_id;
    end if;

    -- What the head pays passes no threshold, nor what it lets go: see credits.choose_head. What was held was not
    -- available.
    if p_from_head = 0 then
        if (p_head_unheld = 0 and p_tokens + coalesce(p_unheld, 0) <> 0) is true then
            perform credits.write_notices(p_account_id, p_balance - coalesce(p_unheld, 0), v_balance);
        end if;
    end if;
    return v_balance;
end
$$;
comment on function credits.post_entry(
    uuid, bigint, numeric, numeric, timestamptz, bytea, credits.entry_kind, numeric, jsonb, text, jsonb, bigint,
    text, jsonb, timestamptz, numeric, timestamptz, numeric, numeric
) is
'Appends entry p_seq to the chain of a locked wallet and moves its balance by p_tokens, to what it returns. The caller '
'moves the lots; p_balance is the balance before, p_debt the debt after it. p_from_head is what a spend takes from the '
'head lot, whose tokens are on the wallet (below zero: what a capture lets go free there); p_unheld what a capture '
'takes from, or lets go of, what is held (null: no capture, and no change of the debt by a spend), p_head_unheld what '
'of this the head holds. Of another kind, with -p_tokens, it says that the caller sees to the notices itself.';
