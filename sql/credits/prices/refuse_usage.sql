-- One refusal for usage that the price cannot charge.

create or replace function credits.refuse_usage(p_price_id bigint, p_module_id text default null)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_dimensions constant text[] := array(
        select c.dimension from credits.price_components as c where c.price_id = p_price_id order by c.dimension
    );
    v_whole constant text[] := array(
        select c.dimension
        from credits.price_components as c
        where c.price_id = p_price_id and c.whole_quantity
        order by c.dimension
    );
    -- What may be named apart from its parent, or left out.
    v_parts constant text[] := array(
        select d.dimension
        from credits.price_components as c
        join credits.dimensions as d on c.dimension = d.parent
        where c.price_id = p_price_id
        order by d.dimension
    );
begin
    if p_price_id is null then
        perform credits.refuse_module(p_module_id);
    end if;
    perform credits.fail(
        422, 'bad_usage', format(
            'usage names exactly %s, each a number from 0 to 10^15%s, and costs at most 10^12%s',
            array_to_string(array(select unnest(v_dimensions) except select unnest(v_parts) order by 1), ', '),
            case when v_whole <> '{}' then format(' (%s: a whole number)', array_to_string(v_whole, ', ')) else '' end,
            case
                when v_parts <> '{}'
                    then format('; it may name or leave out %s', array_to_string(v_parts, ', '))
                else ''
            end
        ),
        json_build_object('dimensions', v_dimensions)
    );
end
$$;
comment on function credits.refuse_usage(bigint, text) is
'Refuses usage that does not fit a price. Raises PT404 unknown_module without a price, otherwise PT422 bad_usage.';
