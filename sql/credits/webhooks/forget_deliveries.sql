-- What was delivered long ago is forgotten. The notice stays, and so can be replayed.
create or replace function credits.forget_deliveries(p_most bigint)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from credits.webhook_deliveries as d
    where (d.account_id, d.notice_id, d.endpoint_id) in (
        select x.account_id, x.notice_id, x.endpoint_id
        from credits.webhook_deliveries as x
        where x.delivered_at < credits.earlier(credits.clock(), '840 hours')
        order by x.delivered_at
        limit p_most
        for update skip locked
    );
end
$$;
comment on function credits.forget_deliveries(bigint) is
'Forgets at most p_most messages that were delivered more than 35 days ago.';
