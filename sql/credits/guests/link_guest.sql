-- A guest signs up: the device that came without an account now has one, which the conversion figures count. Only the
-- device is linked: other people behind the same address have not signed up.
create or replace function credits.link_guest(p_account_id uuid, p_device_keys text[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before text;
begin
    v_before := credits.bound_wait();
    update credits.guests as g
    set linked_to = p_account_id, linked_at = credits.clock()
    where g.linked_to is null and g.guest_id in (
        select k.guest_id
        from credits.guests as k
        where k.device_key = any(p_device_keys)
        order by k.guest_id
        for update
    );
    perform set_config('lock_timeout', v_before, true);
exception
    when lock_not_available then
        perform credits.refuse_busy('this guest');
end
$$;
comment on function credits.link_guest(uuid, text[]) is
'Records that the guest with one of these device keys has signed up for an account. The first account stays.';
