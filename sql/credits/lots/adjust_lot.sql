-- Corrections of one lot by an operator. Each is an entry of kind adjustment, which names who did it and why.

create or replace function credits.find_lot(p_lot_id text)
returns credits.lots
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_lot credits.lots;
begin
    if (p_lot_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[1-9][0-9]{0,17}$') is true then
        select l.* into v_lot
        from credits.lots as l
        where l.account_id = left(p_lot_id, 36)::uuid and l.lot_id = substr(p_lot_id, 38)::bigint;
    end if;
    if v_lot.account_id is null then
        perform credits.fail(404, 'unknown_lot', 'no such lot');
    end if;
    return v_lot;
end
$$;
comment on function credits.find_lot(text) is
'The lot of that name: account:lot_id, which is the entry that granted it. Raises PT404 unknown_lot.';

create or replace function credits.lock_lot(p_lot credits.lots)
returns credits.lots
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_lot credits.lots;
begin
    perform credits.lock_wallet(p_lot.account_id);
    perform credits.fold_head(p_lot.account_id);
    select l.* into strict v_lot
    from credits.lots as l
    where l.account_id = p_lot.account_id and l.lot_id = p_lot.lot_id;
    return v_lot;
end
$$;
comment on function credits.lock_lot(credits.lots) is
'Locks the wallet of a lot, and returns the lot as it is then. Raises PT503 busy.';

create or replace function credits.book_adjustment(
    p_lot credits.lots, p_tokens numeric, p_metadata jsonb, p_expires_at timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_wallet credits.wallets;
    v_entry credits.entries;
begin
    select w.* into strict v_wallet from credits.wallets as w where w.account_id = p_lot.account_id;
    update credits.lots as l
    set
        remaining = l.remaining + p_tokens, live = l.remaining + p_tokens > 0, expires_at = p_expires_at,
        announced = l.announced and l.expires_at is not distinct from p_expires_at
    where l.account_id = p_lot.account_id and l.lot_id = p_lot.lot_id;
    v_entry := credits.next_entry(
        v_wallet, 'adjustment', p_tokens, credits.draw_of(p_lot.lot_id, abs(p_tokens))
    );
    v_entry.metadata := jsonb_strip_nulls(p_metadata || jsonb_build_object('lot_id', p_lot.lot_id));
    v_entry := credits.write_entry(v_entry, v_wallet.head_hash);
    update credits.wallets as w
    set
        seq = v_entry.seq, balance = v_entry.balance_after, posted_at = v_entry.posted_at, head_hash = v_entry.hash
    where w.account_id = p_lot.account_id;
    if (p_tokens > 0) is true then
        -- Tokens may come back into a lot that is past its date, or whose money has gone back.
        if p_lot.order_id is not null then
            perform credits.settle_lots(p_lot.account_id, p_lot.order_id);
        end if;
        perform credits.expire_lots(p_lot.account_id, v_entry.posted_at);
    end if;
    perform credits.note_basis(p_lot.account_id);
    perform credits.write_notices(p_lot.account_id, v_wallet.balance, w.balance)
    from credits.wallets as w
    where w.account_id = p_lot.account_id;
    perform credits.set_due(p_lot.account_id);
end
$$;
comment on function credits.book_adjustment(credits.lots, numeric, jsonb, timestamptz) is
'Changes a lot of a locked wallet by p_tokens, and its expiry to p_expires_at, in one entry of kind adjustment.';

create or replace function credits.lot_receipt(p_account_id uuid, p_seq bigint, p_replayed boolean)
returns api.lot_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_entry credits.entries;
    v_lot credits.current_lots;
begin
    select e.* into v_entry from credits.entries as e where e.account_id = p_account_id and e.seq = p_seq;
    select l.* into v_lot
    from credits.current_lots as l
    where l.account_id = p_account_id and l.lot_id = (v_entry.metadata -> 'lot_id')::bigint;
    return row(
        p_account_id || ':' || p_seq, (select u.user_id from credits.user_of(p_account_id) as u), v_lot.lot_id,
        trim_scale(v_entry.tokens), trim_scale(v_lot.remaining), v_lot.expires_at, trim_scale(v_entry.balance_after),
        p_replayed
    );
end
$$;
comment on function credits.lot_receipt(uuid, bigint, boolean) is
'The answer of a correction of a lot, read from its entry. remaining and expires_at are those of the lot now.';
