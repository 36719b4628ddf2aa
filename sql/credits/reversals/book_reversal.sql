-- The entries of tokens that follow their money, on a locked wallet.

create or replace function credits.book_reversal(
    p_order credits.orders,
    p_kind credits.entry_kind,
    p_tokens numeric,
    p_draws jsonb,
    p_debt numeric,
    p_metadata jsonb default '{}'
)
returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_wallet credits.wallets;
    v_entry credits.entries;
begin
    select w.* into strict v_wallet from credits.wallets as w where w.account_id = p_order.account_id;
    v_entry := credits.next_entry(v_wallet, p_kind, p_tokens, p_draws);
    v_entry.debt_after := v_wallet.debt + p_debt;
    v_entry.order_id := p_order.order_id;
    v_entry.package_name := p_order.package_name;
    v_entry.metadata := p_metadata;
    v_entry := credits.write_entry(v_entry, v_wallet.head_hash);
    update credits.wallets as w
    set
        seq = v_entry.seq, balance = v_entry.balance_after, debt = v_entry.debt_after,
        posted_at = v_entry.posted_at, head_hash = v_entry.hash
    where w.account_id = p_order.account_id;
    perform credits.put_notice(
        p_order.account_id, case when p_kind = 'reversal' then 'reversed' else 'reinstated' end,
        jsonb_build_object(
            'order_id', p_order.order_id, 'package_name', p_order.package_name, 'tokens', trim_scale(abs(p_tokens)),
            'balance', trim_scale(v_entry.balance_after), 'debt', trim_scale(v_entry.debt_after)
        )
    );
    return v_entry.posted_at;
end
$$;
comment on function credits.book_reversal(credits.orders, credits.entry_kind, numeric, jsonb, numeric, jsonb) is
'Writes a reversal (p_tokens below 0) or a reinstatement (above 0) of an order, and tells the user. p_debt: by how '
'much the debt changes. Returns when it was posted.';

create or replace function credits.take_back(p_order credits.orders, p_draws jsonb, p_debt numeric)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_tokens numeric;
begin
    select coalesce(sum(d.tokens), 0) + p_debt into v_tokens
    from jsonb_to_recordset(p_draws) as d (tokens numeric);
    if (v_tokens > 0) is not true then
        return;
    end if;
    update credits.lots as l
    set remaining = l.remaining - d.tokens, reversed = l.reversed + d.tokens, live = l.remaining > d.tokens
    from jsonb_to_recordset(p_draws) as d (lot_id bigint, tokens numeric)
    where l.account_id = p_order.account_id and l.lot_id = d.lot_id;
    perform credits.book_reversal(p_order, 'reversal', -v_tokens, p_draws, p_debt);
end
$$;
comment on function credits.take_back(credits.orders, jsonb, numeric) is
'Takes tokens of an order out of its lots (p_draws), and as debt (p_debt).';

create or replace function credits.give_back(p_order credits.orders, p_draws jsonb, p_debt numeric)
returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_tokens numeric;
    v_from_debt numeric;
    v_repaid jsonb := jsonb_build_array();
    v_first bigint;
begin
    select coalesce(sum(d.tokens), 0) + p_debt into v_tokens
    from jsonb_to_recordset(p_draws) as d (tokens numeric);
    if (v_tokens > 0) is not true then
        return null;
    end if;
    -- The debt may have been repaid since. Then the lots that repaid it get their tokens back.
    select least(w.debt, p_debt) into v_from_debt from credits.wallets as w where w.account_id = p_order.account_id;
    if (v_from_debt < p_debt) is true then
        select min(e.seq) into v_first
        from credits.entries as e
        where e.account_id = p_order.account_id and e.kind = 'reversal' and e.order_id = p_order.order_id;
        v_repaid := credits.return_repaid(p_order.account_id, v_first, p_debt - v_from_debt);
    end if;
    update credits.lots as l
    set remaining = l.remaining + d.tokens, reversed = l.reversed - d.tokens, live = true
    from jsonb_to_recordset(p_draws) as d (lot_id bigint, tokens numeric)
    where l.account_id = p_order.account_id and l.lot_id = d.lot_id;
    -- A lot of this order may have repaid debt, too, so the entry says which draws are not its reversals.
    return credits.book_reversal(
        p_order, 'reinstatement', v_tokens, p_draws || v_repaid, -v_from_debt,
        case
            when v_repaid = '[]' then jsonb_build_object()
            else jsonb_build_object('repaid', v_repaid)
        end
    );
end
$$;
comment on function credits.give_back(credits.orders, jsonb, numeric) is
'Gives tokens of an order back: into its lots (p_draws), and to its debt (p_debt). Returns when that was posted, or '
'null if there was nothing to give back.';
