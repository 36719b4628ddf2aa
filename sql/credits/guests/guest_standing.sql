-- How much a guest has used, and how much is left: so many uses in any span of the window, for the device and for the
-- network it comes from.

create or replace function credits.guest_limit(
    p_shared_network boolean,
    out per_device bigint,
    out per_network bigint,
    out sliding_window interval
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    select
        min(l.per_device), min(case when p_shared_network is true then l.per_shared_network else l.per_network end),
        max(l.sliding_window)
    into per_device, per_network, sliding_window
    from credits.guest_limits as l;
    if per_device is null then
        perform credits.fail(403, 'no_guests', 'there are no free uses here: sign up');
    end if;
end
$$;
comment on function credits.guest_limit(boolean) is
'What guests are allowed. With several price lists, the least of each, in the longest window. Raises PT403 no_guests.';

create or replace function credits.guest_standing(
    p_guest_ids uuid[],
    p_network_ids uuid[],
    p_per_device bigint,
    p_per_network bigint,
    p_sliding_window interval,
    p_now timestamptz,
    out used bigint,
    out allowed bigint,
    out remaining bigint,
    out reset_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- remaining grows when the n-th oldest use leaves the window. Where both the device and the network are at their
    -- limit, the later of their two times counts. The tighter of the two limits is shown.
    with counted as (
        select
            1 as place,
            p_per_device as allowed,
            array(
                select u.used_at
                from credits.guest_uses as u
                where
                    u.guest_id = any(p_guest_ids) and u.used_at > credits.earlier(p_now, p_sliding_window)
                    and (u.state <> 'released' or u.finished_at > p_now)
                order by u.used_at
            ) as times
        union all
        select
            2 as place,
            p_per_network as allowed,
            array(
                select u.used_at
                from credits.guest_uses as u
                where
                    u.network_id = any(p_network_ids) and u.used_at > credits.earlier(p_now, p_sliding_window)
                    and (u.state <> 'released' or u.finished_at > p_now)
                order by u.used_at
            ) as times
    ),
    room as (
        select
            c.place, c.allowed, c.times, c.allowed - cardinality(c.times) as free,
            greatest(coalesce(min(c.allowed - cardinality(c.times)) over (), 0), 0) as remaining
        from counted as c
    )
    select
        (array_agg(cardinality(r.times) order by r.free, r.place))[1],
        (array_agg(r.allowed order by r.free, r.place))[1],
        min(r.remaining),
        case
            when bool_or(r.free <= r.remaining and r.remaining = r.allowed) is false
                then credits.later(
                    max(r.times[r.remaining + 1 - r.free]) filter (where r.free <= r.remaining), p_sliding_window
                )
        end
    into used, allowed, remaining, reset_at
    from room as r;
end
$$;
comment on function credits.guest_standing(uuid[], uuid[], bigint, bigint, interval, timestamptz) is
'How much a device and a network have used of what they are allowed. reset_at: when remaining next grows; null when '
'nothing is used.';

create or replace function credits.guest_allowance(
    p_device_keys text[], p_network_keys text[], p_shared_network boolean
)
returns api.guest_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_device_keys constant text[] := credits.check_guest_keys(p_device_keys);
    v_network_keys constant text[] := credits.check_guest_keys(p_network_keys);
    v_limit record;
    v_left record;
begin
    v_limit := credits.guest_limit(p_shared_network);
    v_left := credits.guest_standing(
        array(select k.id from credits.guest_keys as k where k.kind = 'device' and k.key = any(v_device_keys)),
        array(select k.id from credits.guest_keys as k where k.kind = 'network' and k.key = any(v_network_keys)),
        v_limit.per_device, v_limit.per_network, v_limit.sliding_window, credits.clock()
    );
    return row(
        null, null, null, v_left.used, v_left.allowed, v_left.remaining, v_left.reset_at, false
    )::api.guest_receipt;
end
$$;
comment on function credits.guest_allowance(text[], text[], boolean) is
'Does the work of api.guest_allowance. Locks nothing. Raises PT403 no_guests, PT422 bad_guest.';

create or replace function credits.refuse_guest(p_limit bigint, p_reset_at timestamptz)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(
        429, 'guest_limit', 'no free uses are left: sign up to go on at once',
        json_build_object('remaining', 0, 'limit', p_limit, 'reset_at', credits.utc_text(p_reset_at))
    );
end
$$;
comment on function credits.refuse_guest(bigint, timestamptz) is
'Raises PT429 guest_limit (remaining, limit, reset_at).';
