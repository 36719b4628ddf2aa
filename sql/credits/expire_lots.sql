-- Books what has expired: from expires_at on a lot counts for nothing, whether or not this has run. Called under the
-- wallet's lock.
create or replace function credits.expire_lots(p_account_id uuid, p_since timestamptz default null)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := coalesce(p_since, credits.clock(p_account_id));
    v_wallet credits.wallets;
    v_lot record;
begin
    for v_lot in
        select l.lot_id, l.expires_at, l.package_name, l.remaining - l.held as free
        from credits.lots as l
        where l.account_id = p_account_id and l.live and l.expires_at <= v_now and l.remaining > l.held
        order by l.expires_at, l.lot_id
    loop
        update credits.lots as l
        set remaining = l.held, live = l.held > 0
        where l.account_id = p_account_id and l.lot_id = v_lot.lot_id;
        perform credits.note_basis(p_account_id);
        select w.* into v_wallet from credits.wallets as w where w.account_id = p_account_id;
        perform credits.post_entry(
            p_account_id, v_wallet.seq + 1, v_wallet.balance, v_wallet.debt, v_wallet.posted_at, v_wallet.head_hash,
            'expire', -v_lot.free,
            jsonb_build_array(jsonb_build_object('lot_id', v_lot.lot_id, 'tokens', trim_scale(v_lot.free))),
            p_reference => v_lot.package_name, p_effective_at => greatest(v_lot.expires_at, coalesce(p_since, '-infinity')),
            p_unheld => case when p_since is not null then v_lot.free end
        );
    end loop;
end
$$;
comment on function credits.expire_lots(uuid, timestamptz) is
'Books an expire entry, dated at the moment of expiry, for each lot of a locked wallet that is past it. p_since: when '
'tokens came back into such lots; they expired then, and the caller sees to the notices.';
