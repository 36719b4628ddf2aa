-- Locks the rows of a guest's device, or of the network it comes from. The lock order is in sql/README.md.

create or replace function credits.lock_guest(p_kind text, p_keys text[])
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
        select array_agg(l.id), (array_agg(l.id) filter (where l.key = p_keys[1]))[1]
        into v_ids, v_current
        from credits.lock_guest_keys(p_kind, p_keys) as l;
        exit when v_current is not null;
        if v_ids is null then
            -- New. If it is new for two calls at once, this one waits here for the other, and begins again.
            v_current := credits.add_guest_key(p_kind, p_keys[1]);
            exit when v_current is not null;
        else
            -- The salt has changed: the row takes the new key.
            v_current := v_ids[1];
            perform credits.change_guest_key(p_kind, v_current, p_keys[1]);
            exit;
        end if;
    end loop;
    perform set_config('lock_timeout', v_before, true);

    -- No further row is locked: it would be out of order. A row that came under the other key meanwhile only counts.
    return v_current || array(
        select k.id
        from credits.guest_keys as k
        where k.kind = p_kind and k.key = any(p_keys) and k.id is distinct from v_current
    );
exception
    when lock_not_available then
        perform credits.refuse_busy(case p_kind when 'device' then 'this guest' else 'this network' end);
        return null;
end
$$;
comment on function credits.lock_guest(text, text[]) is
'Locks the guest of these device keys, or the network of these network keys (p_kind: device or network), and adds it '
'if it is new. Its id comes first. If two servers gave out both keys as new, a second id follows, and both count. '
'Raises PT503 busy.';

create or replace function credits.lock_guest_keys(p_kind text, p_keys text[])
returns table (id uuid, key text)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_kind = 'device' then
        return query
        select g.guest_id, g.device_key
        from credits.guests as g
        where g.device_key = any(p_keys)
        order by g.guest_id
        for update;
    else
        return query
        select n.network_id, n.network_key
        from credits.guest_networks as n
        where n.network_key = any(p_keys)
        order by n.network_id
        for update;
    end if;
end
$$;
comment on function credits.lock_guest_keys(text, text[]) is
'Locks what is there under these keys, in the order of its ids. p_kind: device or network.';

create or replace function credits.add_guest_key(p_kind text, p_key text)
returns uuid
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_id uuid;
begin
    if p_kind = 'device' then
        insert into credits.guests (device_key, first_seen_at) values (p_key, credits.clock())
        on conflict do nothing
        returning guest_id into v_id;
    else
        insert into credits.guest_networks (network_key) values (p_key)
        on conflict do nothing
        returning network_id into v_id;
    end if;
    return v_id;
end
$$;
comment on function credits.add_guest_key(text, text) is
'Adds a device or a network, and returns its id; null when somebody else has just added it.';

create or replace function credits.change_guest_key(p_kind text, p_id uuid, p_key text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_kind = 'device' then
        update credits.guests as g set device_key = p_key where g.guest_id = p_id;
    else
        update credits.guest_networks as n set network_key = p_key where n.network_id = p_id;
    end if;
exception
    -- Another row has come under this key meanwhile: both stay, and both count.
    when unique_violation then null;
end
$$;
comment on function credits.change_guest_key(text, uuid, text) is
'Gives a device or a network its key under the new salt, unless another row has it.';
