-- How much is free for somebody without an account.
create or replace function credits.define_guest_limits(
    p_catalog_id text,
    p_per_device bigint,
    p_per_network bigint default null,
    p_per_shared_network bigint default null,
    p_sliding_window interval default '24 hours'
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_per_network constant bigint := coalesce(p_per_network, p_per_device);
begin
    if (p_per_device = 0) is true then
        delete from credits.guest_limits as l where l.catalog_id = p_catalog_id;
        return;
    end if;
    insert into credits.guest_limits as l (catalog_id, per_device, per_network, per_shared_network, sliding_window)
    values (
        p_catalog_id, p_per_device, v_per_network,
        coalesce(p_per_shared_network, credits.tighter(10 * v_per_network, 1000000)::bigint),
        -- In seconds: a calendar day has 23 or 25 hours when the clocks change.
        make_interval(secs => extract(epoch from p_sliding_window)::double precision)
    )
    on conflict (catalog_id) do update
    set
        per_device = excluded.per_device, per_network = excluded.per_network,
        per_shared_network = excluded.per_shared_network, sliding_window = excluded.sliding_window;
exception
    when check_violation or not_null_violation or foreign_key_violation or numeric_value_out_of_range
        or datetime_field_overflow then
        perform credits.refuse_line('guest limits of', p_catalog_id, sqlerrm);
end
$$;
comment on function credits.define_guest_limits(text, bigint, bigint, bigint, interval) is
'How many uses are free without an account, in any span of p_sliding_window (at most 7 days). p_per_network: by '
'default as many as per device. p_per_shared_network, for a network that is known to be shared: by default ten times '
'that. p_per_device 0 means that nothing is free any more. Raises PT422 bad_catalog.';
