-- Free what is held, because the work failed or will not be done. Nothing is charged.
--
--   1. Find the hold. Users may release only their own; services may release any.
--   2. Lock the wallet. A repeated call gets the answer of the first.
--   3. Give the tokens back to their lots.
create or replace function api.release_hold(
    hold_id text,
    reason text default null,
    idempotency_key text default null,
    user_id text default null
)
returns api.release_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- 1. Find.
    v_found constant record := credits.find_hold(release_hold.hold_id, release_hold.user_id);
    v_hold credits.holds;
    v_known credits.idempotency_keys;
    v_replayed boolean;
begin
    idempotency_key := coalesce(release_hold.idempotency_key, credits.header_key('release_hold'));
    perform credits.check_reason(release_hold.reason);

    -- 2. Lock. Repeat? Closed? Releasing again without a key gets the same answer. A new key would write one more row.
    v_hold := credits.lock_hold(v_found.account_id, v_found.hold_id, v_found.service);
    if release_hold.idempotency_key is not null then
        v_known := credits.claim_key(
            v_found.account_id, 'release_hold', release_hold.idempotency_key,
            jsonb_build_array(v_found.hold_id, release_hold.reason), p_made_id => v_found.hold_id
        );
        if v_known.account_id is null and v_hold.state is not distinct from 'released' then
            perform credits.make_unpaid(v_found.account_id, credits.clock(v_found.account_id));
        end if;
    end if;
    v_replayed := v_known.account_id is not null or v_hold.state = 'released';

    -- 3. Give back.
    if v_replayed is not true then
        if v_hold.state is distinct from 'open' then
            perform credits.refuse_closed(v_hold.state);
        end if;
        v_hold := credits.let_go(v_hold, release_hold.reason);
    end if;
    return row(
        v_found.account_id || ':' || v_found.hold_id, v_found.user_id, v_hold.module_id, v_hold.state::text,
        trim_scale(greatest(coalesce(v_hold.tokens - v_hold.captured, 0), 0)), trim_scale(v_hold.captured), v_replayed
    );
end
$$;
comment on function api.release_hold(text, text, text, text) is
'Release a hold: its tokens become free in their lots, and nothing is charged. Tokens of a lot that has expired
meanwhile expire now.

A reason (at most 200 characters) that begins with failed, error or timeout counts as a failure in the figures. Parts
captured before stay charged, and the hold then ends as captured. A repeat needs the key of the first release in that
case. For any other hold, a repeat gets the same answer without a key.
Raises PT404 unknown_hold, PT409 hold_closed (state) or key_reused, PT422 bad_reason or bad_key, PT429 unpaid_limit (a
user who sends ever new keys for a released hold), PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
