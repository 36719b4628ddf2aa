-- The work takes longer: a hold lasts longer, from now.
create or replace function api.extend_hold(
    hold_id text,
    ttl interval default '15 minutes',
    user_id text default null
)
returns api.hold_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_ttl constant numeric := credits.check_ttl(extend_hold.ttl);
    v_found constant record := credits.find_hold(extend_hold.hold_id, extend_hold.user_id);
    v_hold credits.holds;
    v_wallet credits.wallets;
begin
    -- 1. Lock. What has expired stays so.
    v_hold := credits.lock_hold(v_found.account_id, v_found.hold_id, v_found.service);
    if v_hold.state <> 'open' then
        perform credits.refuse_closed(v_hold.state);
    end if;

    -- 2. Write.
    update credits.holds as h
    set expires_at = credits.clock(h.account_id) + make_interval(secs => v_ttl)
    where h.account_id = v_found.account_id and h.hold_id = v_found.hold_id
    returning h.* into v_hold;
    update credits.wallets as w
    set due_at = least(w.due_at, v_hold.expires_at)
    where w.account_id = v_found.account_id
    returning w.* into v_wallet;
    return row(
        v_found.account_id || ':' || v_found.hold_id, v_found.user_id, v_hold.module_id, v_hold.state::text,
        trim_scale(v_hold.held), trim_scale(v_wallet.balance),
        trim_scale(greatest(v_wallet.balance - v_wallet.held, 0)), v_hold.draws, v_hold.expires_at, false
    );
end
$$;
comment on function api.extend_hold(text, interval, text) is
'Let an open hold last for ttl from now, at most 24 hours; as often as needed, before it expires.

Raises PT404 unknown_hold, PT409 hold_closed (state), PT422 bad_ttl, PT403 not_yours, PT401 not_signed_in,
PT422 bad_isolation.';
