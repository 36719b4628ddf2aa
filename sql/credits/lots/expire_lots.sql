-- Books what has expired. From expires_at on, a lot counts for nothing, whether or not this has run. Callers have
-- locked the wallet.
create or replace function credits.expire_lots(p_account_id uuid, p_since timestamptz default null)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := coalesce(p_since, credits.clock(p_account_id));
    v_wallet credits.wallets;
    v_entry credits.entries;
    v_lot record;
    v_ended uuid[] not null := array[]::uuid[];
begin
    for v_lot in
        select l.lot_id, l.source, l.order_id, l.expires_at, l.package_name, l.remaining - l.held as free
        from credits.current_lots as l
        where l.account_id = p_account_id and l.live and l.expires_at <= v_now and l.remaining > l.held
        order by l.expires_at, l.lot_id
    loop
        update credits.lots as l
        set remaining = l.remaining - v_lot.free, live = l.remaining > v_lot.free
        where l.account_id = p_account_id and l.lot_id = v_lot.lot_id;
        perform credits.note_basis(p_account_id);
        select w.* into strict v_wallet from credits.wallets as w where w.account_id = p_account_id;
        v_entry := credits.next_entry(v_wallet, 'expire', -v_lot.free, credits.draw_of(v_lot.lot_id, v_lot.free));
        v_entry.effective_at := greatest(v_lot.expires_at, coalesce(p_since, '-infinity'));
        v_entry.package_name := v_lot.package_name;
        v_entry := credits.write_entry(v_entry, v_wallet.head_hash);
        update credits.wallets as w
        set
            seq = v_entry.seq, balance = v_entry.balance_after, posted_at = v_entry.posted_at, head_hash = v_entry.hash
        where w.account_id = p_account_id;
        if v_lot.source = 'allowance' and v_lot.order_id is not null then
            update credits.subscription_invoices as i
            set unused = i.unused + v_lot.free
            where i.account_id = p_account_id and i.order_id = v_lot.order_id;
            v_ended := v_ended || v_lot.order_id;
        end if;
        perform credits.put_for_products(
            p_account_id, 'expired',
            jsonb_build_object(
                'lot_id', v_lot.lot_id, 'tokens', trim_scale(v_lot.free), 'balance', trim_scale(v_entry.balance_after)
            )
        );
        if p_since is null then
            perform credits.write_notices(p_account_id, v_wallet.balance, v_entry.balance_after);
        end if;
    end loop;
    -- What a plan's period left goes over if the next one is paid already. This comes after the loop, which has read the
    -- lots as they were.
    perform credits.roll_over(p_account_id, o.order_id)
    from unnest(v_ended) as o (order_id);
end
$$;
comment on function credits.expire_lots(uuid, timestamptz) is
'Books an expire entry for each expired lot of a locked wallet, dated at the moment of expiry. p_since: when tokens '
'came back into expired lots. These tokens expire at that moment, and the caller writes the notices.';
