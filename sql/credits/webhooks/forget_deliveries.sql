-- What was delivered long ago is forgotten. The notice stays for its own period, and can be replayed until then.
create or replace function credits.forget_deliveries(p_most bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before constant timestamptz := credits.kept_since('webhook_deliveries');
    v_forgotten bigint;
begin
    delete from credits.webhook_deliveries as d
    where (d.account_id, d.notice_id, d.endpoint_id) in (
        select x.account_id, x.notice_id, x.endpoint_id
        from credits.webhook_deliveries as x
        where x.delivered_at < v_before
        order by x.delivered_at
        limit p_most
        for update skip locked
    );
    get diagnostics v_forgotten = row_count;
    return v_forgotten;
end
$$;
comment on function credits.forget_deliveries(bigint) is
'Forgets at most p_most messages that were delivered longer ago than their period. Returns how many.';
