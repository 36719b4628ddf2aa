-- How a guest's use ended.
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
'Does the work of api.confirm_guest_use and api.release_guest_use. A use ends once; a repeat gets the same answer. '
'Raises PT403 not_yours, PT404 unknown_use, PT409 use_closed.';
