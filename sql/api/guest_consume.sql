-- A free use for somebody without an account.
--
--   1. A service says who the guest is. The keys never come from a client.
--   2. Check whether anything is left. A guest who has used up everything is refused here, before any lock, and leaves
--      no trace.
--   3. Lock the guest, then the network. Other uses that come at the same time wait here.
--   4. Check again, under the locks.
--   5. Reserve the use. It counts from now on, even if nobody says how it ended.

create or replace function api.guest_consume(
    module_id text,
    device_keys text[],
    network_keys text[],
    shared_network boolean default false
)
returns api.guest_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_left record;
    v_limit record;
    v_guest_ids uuid[];
    v_network_ids uuid[];
    v_now timestamptz;
    v_use_id uuid;
begin
    -- 1. Identify.
    perform credits.require_service('may say who a guest is');

    -- 2. Check.
    v_left := credits.guest_allowance(
        guest_consume.device_keys, guest_consume.network_keys, guest_consume.shared_network
    );
    if credits.find_price(guest_consume.module_id, credits.clock()) is null then
        perform credits.refuse_module(guest_consume.module_id);
    elsif (v_left.remaining > 0) is not true then
        perform credits.refuse_guest(v_left."limit", v_left.reset_at);
    end if;

    -- 3. Lock.
    v_guest_ids := credits.lock_guest('device', credits.check_guest_keys(guest_consume.device_keys));
    v_network_ids := credits.lock_guest('network', credits.check_guest_keys(guest_consume.network_keys));
    v_limit := credits.guest_limit(guest_consume.shared_network);
    v_now := credits.clock();

    -- 4. Check again.
    v_left := credits.guest_standing(
        v_guest_ids, v_network_ids, v_limit.per_device, v_limit.per_network, v_limit.sliding_window, v_now
    );
    if (v_left.remaining > 0) is not true then
        perform credits.refuse_guest(v_left.allowed, v_left.reset_at);
    end if;

    -- 5. Reserve.
    insert into credits.guest_uses (
        guest_id, network_id, module_id, used_at, per_device, per_network, sliding_window
    )
    values (
        v_guest_ids[1], v_network_ids[1], guest_consume.module_id, v_now,
        v_limit.per_device, v_limit.per_network, v_limit.sliding_window
    )
    returning use_id into v_use_id;
    v_left := credits.guest_standing(
        v_guest_ids, v_network_ids, v_limit.per_device, v_limit.per_network, v_limit.sliding_window, v_now
    );
    return row(
        v_use_id, guest_consume.module_id, 'reserved', v_left.used, v_left.allowed, v_left.remaining, v_left.reset_at,
        false
    )::api.guest_receipt;
end
$$;
comment on function api.guest_consume(text, text[], text[], boolean) is
'Reserve a free use for a guest, who is somebody without an account.

For services. Call confirm_guest_use when the use succeeded, and release_guest_use when it failed. Until then it counts
as used.
device_keys, network_keys: one or two HMACs each (64 hex digits), under the current salt, and under the salt before or
after it. shared_network: the network is known to be shared, and has the higher limit.
Raises PT429 guest_limit (with the limit, and the time at which there will be more), PT403 no_guests or not_yours,
PT404 unknown_module, PT422 bad_guest.';
