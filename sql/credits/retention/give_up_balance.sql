-- What is left expires on the books, each lot at this moment and with the reason.
create or replace function credits.give_up_balance(p_account_id uuid)
returns numeric
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock(p_account_id);
    v_before numeric;
    v_after numeric;
begin
    select w.balance into strict v_before from credits.wallets as w where w.account_id = p_account_id;
    if v_before = 0 then
        return 0;
    end if;
    perform credits.fold_head(p_account_id);
    perform credits.book_adjustment(
        l, 0,
        jsonb_build_object(
            'expires_at', credits.utc_text(v_now), 'before', coalesce(credits.utc_text(l.expires_at), 'infinity')
        ),
        v_now
    )
    from (
        select x.*
        from credits.lots as x
        where x.account_id = p_account_id and x.live and coalesce(x.expires_at > v_now, true)
        order by x.lot_id
    ) as l;
    perform credits.expire_lots(p_account_id);
    select w.balance into strict v_after from credits.wallets as w where w.account_id = p_account_id;
    return v_before - v_after;
end
$$;
comment on function credits.give_up_balance(uuid) is
'Lets all tokens of a locked wallet expire now, on the books. Returns how many.';
