-- Usage in the dimensions that a price has rates for. A dimension is counted in its parent where it has no rate:
-- without a rate for cached_input_tokens they are input_tokens.
create or replace function credits.rated_usage(p_price_id bigint, p_usage jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rated jsonb := p_usage;
    v_part record;
begin
    if jsonb_typeof(p_usage) is distinct from 'object' then
        return null;
    end if;
    for v_part in
        select d.dimension, d.parent, c.dimension is not null as has_rate
        from credits.price_components as r
        join credits.dimensions as d on d.parent = r.dimension
        left join credits.price_components as c on r.price_id = c.price_id and d.dimension = c.dimension
        where r.price_id = p_price_id
        order by d.dimension
    loop
        if v_part.has_rate and (v_rated ? v_part.dimension) is not true then
            -- It was not told apart, so it is among what the parent counts.
            v_rated := v_rated || jsonb_build_object(v_part.dimension, 0);
        elsif (not v_part.has_rate and v_rated ?& array[v_part.dimension, v_part.parent]) is true then
            -- A quantity that cannot be charged is null here, and makes the sum null, which is refused.
            v_rated := v_rated - v_part.dimension || jsonb_build_object(
                v_part.parent,
                credits.quantity(v_rated -> v_part.parent) + credits.quantity(v_rated -> v_part.dimension)
            );
        end if;
    end loop;
    return v_rated;
end
$$;
comment on function credits.rated_usage(bigint, jsonb) is
'A usage in the dimensions of a price. What a dimension without a rate counts is added to its parent, if the usage '
'names the parent. A dimension that has a rate and was left out is 0, if the price has a rate for its parent. Null for '
'a usage that is not an object. A quantity that cannot be charged is null in the sum.';

create or replace function credits.counted_in(p_price_id bigint, p_dimension text, p_usage jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_object_agg(d.dimension, p_usage -> d.dimension), '{}')
        from credits.dimensions as d
        where
            d.parent = p_dimension and p_usage ? d.dimension
            and not exists (
                select
                from credits.price_components as c
                where c.price_id = p_price_id and c.dimension = d.dimension
            )
    );
end
$$;
comment on function credits.counted_in(bigint, text, jsonb) is
'The quantities of a usage that a price counts in p_dimension because it has no rate for them: {dimension: quantity}.';
