-- Old notices, whether anybody has read them or not, with the messages that were made of them. A message that is still
-- to be sent keeps its notice.
create or replace function credits.forget_notices(p_most bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before constant timestamptz := credits.kept_since('notices');
    v_notices uuid[];
    v_forgotten bigint;
begin
    v_notices := array(
        select o.notice_id
        from credits.outbox as o
        where
            o.created_at < v_before
            and not exists (
                select
                from credits.webhook_deliveries as d
                join credits.webhook_endpoints as w on d.endpoint_id = w.endpoint_id
                where
                    d.account_id = o.account_id and d.notice_id = o.notice_id and d.state = 'pending'
                    and w.disabled_at is null
            )
        order by o.created_at
        limit p_most
        for update skip locked
    );
    delete from credits.webhook_deliveries as d
    using credits.outbox as o
    where
        o.notice_id = any (v_notices) and o.created_at < v_before
        and d.account_id = o.account_id and d.notice_id = o.notice_id;
    delete from credits.outbox as o
    where o.notice_id = any (v_notices) and o.created_at < v_before;
    get diagnostics v_forgotten = row_count;
    return v_forgotten;
end
$$;
comment on function credits.forget_notices(bigint) is
'Forgets at most p_most notices that are older than their period, with their messages. Returns how many notices.';
