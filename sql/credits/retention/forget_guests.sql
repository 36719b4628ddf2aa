-- Guests who have not come back: first their old uses, then the devices and networks that have no uses any more.
--
-- A guest's call locks the device, then its network. This function locks only rows that are free, so it waits for
-- nobody. Each row is locked before a new statement looks whether it still has no uses.
create or replace function credits.forget_guests(p_most bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before constant timestamptz := credits.kept_since('guests');
    v_networks uuid[];
    v_devices uuid[];
    v_uses bigint;
    v_guests bigint;
begin
    with old as (
        delete from credits.guest_uses as u
        where u.use_id = any (array(
            select x.use_id
            from credits.guest_uses as x
            where x.used_at < v_before
            order by x.used_at
            limit p_most
            for update skip locked
        ))
        returning u.network_id
    )

    select count(*), array_agg(distinct o.network_id) into v_uses, v_networks from old as o;

    v_devices := array(
        select g.guest_id
        from credits.guests as g
        where
            g.first_seen_at < v_before
            and not exists (select from credits.guest_uses as u where u.guest_id = g.guest_id)
        order by g.first_seen_at
        limit p_most
        for update skip locked
    );
    delete from credits.guests as g
    where
        g.guest_id = any (v_devices)
        and not exists (select from credits.guest_uses as u where u.guest_id = g.guest_id);
    get diagnostics v_guests = row_count;

    v_networks := array(
        select n.network_id
        from credits.guest_networks as n
        where n.network_id = any (v_networks)
        order by n.network_id
        for update skip locked
    );
    delete from credits.guest_networks as n
    where
        n.network_id = any (v_networks)
        and not exists (select from credits.guest_uses as u where u.network_id = n.network_id);
    return v_uses + v_guests;
end
$$;
comment on function credits.forget_guests(bigint) is
'Forgets at most p_most uses of guests that are older than their period, as many devices without uses, and networks '
'without uses. Returns how many uses and devices.';
