-- An account may have only so many pending orders.
create or replace function credits.keep_orders_few(p_account_id uuid)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_most constant bigint := coalesce((select s.most_pending_orders from credits.settings as s), 20);
    v_now constant timestamptz := credits.clock(p_account_id);
    v_pending record;
begin
    -- A checkout ends within 24 hours. The event that ended an older order was missed, so such an order must not count.
    select
        count(*) as orders,
        min(credits.later(
            o.created_at, case when o.checkout_session_id is null then interval '1 hour' else interval '25 hours' end
        )) as reset_at
    into v_pending
    from credits.orders as o
    where o.account_id = p_account_id and o.state = 'pending' and o.created_at > credits.earlier(v_now, '25 hours');
    if v_pending.orders >= v_most then
        perform credits.fail(
            429, 'too_many_orders', 'this account has as many pending orders as it may have: pay or end one first',
            json_build_object('limit', v_most, 'reset_at', credits.utc_text(v_pending.reset_at))
        );
    end if;
end
$$;
comment on function credits.keep_orders_few(uuid) is
'Refuses another order of a locked wallet that has as many pending orders as the settings allow. '
'Raises PT429 too_many_orders (limit, reset_at).';
