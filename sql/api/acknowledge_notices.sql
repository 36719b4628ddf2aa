-- A service has delivered notices: by mail, in the interface, however it does.
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
    v_answer api.acknowledgement;
begin
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may acknowledge notices');
    end if;
    update credits.outbox as o
    set delivered_at = credits.clock()
    where o.delivered_at is null and o.notice_id = any (acknowledge_notices.notice_ids);
    get diagnostics v_answer.notices = row_count;
    return v_answer;
end
$$;
comment on function api.acknowledge_notices(uuid[]) is
'Mark notices as delivered, so that api.notices shows them so. For services; safe to repeat. notices: how many were
marked now.

Raises PT403 not_yours.';
