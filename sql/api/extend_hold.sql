-- Work may take longer than expected, so a hold can be extended, but not for ever. A hold freezes the price, the dates
-- of its lots, and what the limits allowed. Callers who gain from that must not be able to renew it without end.
--
--   1. Lock the wallet. Only an open hold can be extended.
--   2. Write the new end of the hold, within its bounds.
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
    v_now timestamptz;
begin
    -- 1. Lock. A hold that has expired stays expired. Users get no more time while their account is not active.
    v_hold := credits.lock_hold(v_found.account_id, v_found.hold_id, v_found.service);
    if v_hold.state is distinct from 'open' then
        perform credits.refuse_closed(v_hold.state);
    end if;
    select w.* into strict v_wallet from credits.wallets as w where w.account_id = v_found.account_id;
    v_now := coalesce(v_wallet.test_clock, credits.clock());
    if v_found.service is not true and v_wallet.status <> 'active' then
        perform credits.refuse_own_hold(v_hold.state, v_wallet.status);
    end if;

    -- 2. Write, within the bound on how long a hold may last.
    update credits.holds as h
    set expires_at = least(v_now + make_interval(secs => v_ttl), credits.last_moment(v_hold))
    where h.account_id = v_found.account_id and h.hold_id = v_found.hold_id
    returning h.* into strict v_hold;
    update credits.wallets as w
    set due_at = least(w.due_at, v_hold.expires_at)
    where w.account_id = v_found.account_id
    returning w.* into strict v_wallet;
    return row(
        v_found.account_id || ':' || v_found.hold_id, v_found.user_id, v_hold.module_id, v_hold.state::text,
        trim_scale(v_hold.held), trim_scale(v_wallet.balance),
        trim_scale(credits.available(v_found.account_id, v_now)), v_hold.draws, v_hold.expires_at, false,
        v_hold.price_source
    );
end
$$;
comment on function api.extend_hold(text, interval, text) is
'Let an open hold last for ttl from now, at most 24 hours. Call this as often as needed, before the hold expires.

A hold that a user made ends at most 24 hours after it was made, however often it is extended. A hold that a service
made ends after at most 7 days; the operator can set another bound. No hold keeps the tokens of a lot for more than 24
hours after the lot''s date. The hold is extended as far as these bounds allow, and expires_at says how far that is.
Users extend only their own holds, and only while the account is active.
Raises PT404 unknown_hold, PT409 hold_closed (state), PT422 bad_ttl, PT423 account_frozen (a user), PT403 not_yours,
PT401 not_signed_in, PT422 bad_isolation.';
