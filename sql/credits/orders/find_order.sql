-- Services name an order by its account and its id.
create or replace function credits.find_order(p_account_id uuid, p_order_id uuid)
returns credits.orders
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_order credits.orders;
begin
    select o.* into v_order
    from credits.orders as o
    where o.account_id = p_account_id and o.order_id = p_order_id;
    if not found then
        perform credits.fail(404, 'unknown_order', 'no such order');
    end if;
    return v_order;
end
$$;
comment on function credits.find_order(uuid, uuid) is
'The order of this name and account. Raises PT404 unknown_order.';
