-- Refusing to spend, and repaying what was spent beyond the lots.

create or replace function credits.refuse_tokens(
    p_balance numeric, p_debt numeric, p_price_id bigint, p_cost numeric, p_missing numeric
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(
        402, 'insufficient_tokens', 'not enough tokens',
        json_strip_nulls(json_build_object(
            'balance', trim_scale(p_balance),
            'available', trim_scale(p_cost - p_missing),
            'cost', trim_scale(p_cost),
            'missing', trim_scale(p_missing),
            'affordable', credits.affordable(p_price_id, p_cost, p_cost - p_missing),
            'debt', trim_scale(nullif(p_debt, 0))
        ))
    );
end
$$;
comment on function credits.refuse_tokens(numeric, numeric, bigint, numeric, numeric) is
'Raises PT402 insufficient_tokens: p_missing of p_cost cannot be paid.';

create or replace function credits.in_default(p_account_id uuid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return exists (
        select
        from credits.wallets as w
        join credits.accounts as a on w.account_id = a.account_id
        where w.account_id = p_account_id and w.debt > a.overdraft_limit
    );
end
$$;
comment on function credits.in_default(uuid) is
'Whether the account has more debt than it may have. If so, it can spend nothing new.';

create or replace function credits.repay_debt(p_account_id uuid, p_lot_id bigint)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_wallet credits.wallets;
    v_entry credits.entries;
    v_repaid numeric;
begin
    select w.* into strict v_wallet from credits.wallets as w where w.account_id = p_account_id;
    if v_wallet.debt = 0 then
        return;
    end if;
    update credits.lots as l
    set
        remaining = l.remaining - least(l.granted, v_wallet.debt),
        live = l.remaining > least(l.granted, v_wallet.debt)
    where l.account_id = p_account_id and l.lot_id = p_lot_id
    returning least(l.granted, v_wallet.debt) into v_repaid;
    v_entry := credits.next_entry(v_wallet, 'repayment', 0, credits.draw_of(p_lot_id, v_repaid));
    v_entry.debt_after := v_wallet.debt - v_repaid;
    v_entry := credits.write_entry(v_entry, v_wallet.head_hash);
    update credits.wallets as w
    set
        seq = v_entry.seq, posted_at = v_entry.posted_at, head_hash = v_entry.hash, debt = v_entry.debt_after
    where w.account_id = p_account_id;
end
$$;
comment on function credits.repay_debt(uuid, bigint) is
'Repays the debt of a locked wallet from a lot that has just been bought, as far as its tokens go.';
