-- Guests: so many uses in any span of the window, of a device and of the network it comes from.
--
-- A device or network comes under two keys, for the door's salt rotates: the first is the one to keep, the second its
-- name before or after. The lock order: sql/README.md.

create or replace function credits.check_guest_keys(p_keys text[])
returns text[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_keys constant text[] := array(select k.key from unnest(p_keys) as k (key));
begin
    if cardinality(v_keys) not between 1 and 2 or array_to_string(v_keys, ',', '') !~ '^[0-9a-f]{64}(,[0-9a-f]{64})?$' then
        perform credits.fail(422, 'bad_guest', 'a guest comes with one or two keys, each of 64 hex digits, lower case');
    end if;
    return v_keys;
end
$$;
comment on function credits.check_guest_keys(text[]) is
'The keys of a device or network, as a plain array. Raises PT422 bad_guest.';

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
'What guests are allowed; of several catalogues the least, in the longest window. Raises PT403 no_guests.';

create or replace function credits.lock_guest(p_keys text[])
returns uuid[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_ids uuid[];
    v_current uuid;
    v_before text;
begin
    v_before := credits.bound_wait();
    loop
        select array_agg(l.guest_id), (array_agg(l.guest_id) filter (where l.device_key = p_keys[1]))[1]
        into v_ids, v_current
        from (
            select k.guest_id, k.device_key
            from credits.guests as k
            where k.device_key = any(p_keys)
            order by k.guest_id
            for update
        ) as l;
        exit when v_current is not null;
        if v_ids is null then
            -- New. Or new for two at once: then wait for the other, and begin again.
            insert into credits.guests (device_key, first_seen_at) values (p_keys[1], credits.clock())
            on conflict do nothing
            returning guest_id into v_current;
            exit when v_current is not null;
        else
            -- The salt has changed: the row follows.
            v_current := v_ids[1];
            begin
                update credits.guests as k set device_key = p_keys[1] where k.guest_id = v_current;
            exception
                when unique_violation then null;
            end;
            exit;
        end if;
    end loop;
    perform set_config('lock_timeout', v_before, true);

    -- No lock may follow these, they would be out of order: what has come under the other key meanwhile only counts.
    return v_current || array(
        select k.guest_id from credits.guests as k where k.device_key = any(p_keys) and k.guest_id is distinct from v_current
    );
exception
    when lock_not_available then
        perform credits.refuse_busy('this guest');
        return null;
end
$$;
comment on function credits.lock_guest(text[]) is
'Locks the guest of these device keys, a new one if need be. Its id comes first; when both keys were given out as new, '
'at two doors, there is a second one, and both count.';

create or replace function credits.lock_guest_network(p_keys text[])
returns uuid[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_ids uuid[];
    v_current uuid;
    v_before text;
begin
    v_before := credits.bound_wait();
    loop
        select array_agg(l.network_id), (array_agg(l.network_id) filter (where l.network_key = p_keys[1]))[1]
        into v_ids, v_current
        from (
            select k.network_id, k.network_key
            from credits.guest_networks as k
            where k.network_key = any(p_keys)
            order by k.network_id
            for update
        ) as l;
        exit when v_current is not null;
        if v_ids is null then
            insert into credits.guest_networks (network_key) values (p_keys[1])
            on conflict do nothing
            returning network_id into v_current;
            exit when v_current is not null;
        else
            v_current := v_ids[1];
            begin
                update credits.guest_networks as k set network_key = p_keys[1] where k.network_id = v_current;
            exception
                when unique_violation then null;
            end;
            exit;
        end if;
    end loop;
    perform set_config('lock_timeout', v_before, true);

    return v_current || array(
        select k.network_id
        from credits.guest_networks as k
        where k.network_key = any(p_keys) and k.network_id is distinct from v_current
    );
exception
    when lock_not_available then
        perform credits.refuse_busy('this network');
        return null;
end
$$;
comment on function credits.lock_guest_network(text[]) is
'The same as credits.lock_guest, for a network.';

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
    -- The n-th oldest use to fall out of the window is the one that lets remaining grow; where both device and network
    -- stand in the way, the later of the two. The tighter one is shown.
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
'What device and network have used of what they are allowed. reset_at: when remaining next grows; null when all is '
'free.';

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
        array(select g.guest_id from credits.guests as g where g.device_key = any(v_device_keys)),
        array(select n.network_id from credits.guest_networks as n where n.network_key = any(v_network_keys)),
        v_limit.per_device, v_limit.per_network, v_limit.sliding_window, credits.clock()
    );
    return row(
        null, null, null, v_left.used, v_left.allowed, v_left.remaining, v_left.reset_at, false
    )::api.guest_receipt;
end
$$;
comment on function credits.guest_allowance(text[], text[], boolean) is
'The work of api.guest_allowance. Locks nothing. Raises PT403 no_guests, PT422 bad_guest.';

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

create or replace function credits.finish_guest_use(p_use_id uuid, p_state text)
returns api.guest_receipt
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_use credits.guest_uses;
    v_left record;
    v_before text;
begin
    perform credits.require_service('may say how a guest''s use ended');

    begin
        v_before := credits.bound_wait();
        perform from credits.guest_uses as u where u.use_id = p_use_id for update;
        perform set_config('lock_timeout', v_before, true);
    exception
        when lock_not_available then
            perform credits.refuse_busy('this use');
    end;
    select u.* into v_use from credits.guest_uses as u where u.use_id = p_use_id;
    if not found then
        perform credits.fail(404, 'unknown_use', 'no such use of a guest');
    elsif v_use.state not in ('reserved', p_state) then
        perform credits.fail(409, 'use_closed', 'this use was ' || v_use.state || ' already');
    elsif v_use.state = 'reserved' then
        update credits.guest_uses as u
        set state = p_state, finished_at = credits.clock()
        where u.use_id = p_use_id;
    end if;
    v_left := credits.guest_standing(
        array[v_use.guest_id], array[v_use.network_id],
        v_use.per_device, v_use.per_network, v_use.sliding_window, credits.clock()
    );
    return row(
        p_use_id, v_use.module_id, p_state, v_left.used, v_left.allowed, v_left.remaining, v_left.reset_at,
        v_use.state = p_state
    )::api.guest_receipt;
end
$$;
comment on function credits.finish_guest_use(uuid, text) is
'The work of api.confirm_guest_use and api.release_guest_use: one transition, the same again is answered again. '
'Raises PT403 not_yours, PT404 unknown_use, PT409 use_closed.';
