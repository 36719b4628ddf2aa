-- A service has delivered notices, by mail or in any other way.
create or replace function api.acknowledge_notices(
    notice_ids uuid[]
)
returns api.acknowledgement
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before text;
    v_answer api.acknowledgement;
begin
    perform credits.require_service('may acknowledge notices');
    if acknowledge_notices.notice_ids is null or array_position(acknowledge_notices.notice_ids, null) is not null then
        perform credits.fail(
            422, 'bad_notices', 'notice_ids must be an array of the ids of notices, none of them null'
        );
    end if;
    v_before := credits.bound_wait();
    -- In the order of their ids, so that two calls do not wait for each other.
    update credits.outbox as o
    set delivered_at = credits.clock()
    where o.notice_id in (
        select x.notice_id
        from credits.outbox as x
        where x.delivered_at is null and x.notice_id = any (acknowledge_notices.notice_ids)
        order by x.notice_id
        for no key update
    );
    get diagnostics v_answer.notices = row_count;
    perform set_config('lock_timeout', v_before, true);
    return v_answer;
exception
    when lock_not_available then
        perform credits.refuse_busy('one of these notices');
        return null;
end
$$;
comment on function api.acknowledge_notices(uuid[]) is
'Mark notices as delivered, which api.notices then shows. For services. Safe to repeat. notices: how many were marked
now.

Raises PT422 bad_notices, PT403 not_yours.';
