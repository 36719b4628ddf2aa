-- The database's price wins. A price that a client names must be the same.
create or replace function credits.check_named_price(p_cost numeric, p_named numeric)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_cost <> p_named) is true then
        perform credits.fail(
            422, 'price_mismatch', 'the price in the database differs from the one named',
            json_build_object('cost', trim_scale(p_cost), 'expected', p_named)
        );
    end if;
end
$$;
comment on function credits.check_named_price(numeric, numeric) is
'Compares the cost of a call with the one that the client names; null passes. Raises PT422 price_mismatch.';
