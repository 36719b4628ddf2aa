-- Prices as they are shown to people: what a price is made of, and how a cost is made up.

create or replace function credits.components_as_json(p_price_id bigint)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_agg(jsonb_build_object(
            'dimension', c.dimension,
            'unit_size', trim_scale(c.unit_size),
            'price_per_unit', trim_scale(c.price_per_unit),
            'free_quantity', trim_scale(c.free_quantity),
            'whole_units', c.whole_units,
            'whole_quantity', c.whole_quantity,
            'minimum_charge', trim_scale(c.minimum_charge),
            'provider_cost', trim_scale(c.provider_cost),
            'tiers', coalesce((
                select jsonb_agg(jsonb_build_object(
                    'above', trim_scale(t.above), 'price_per_unit', trim_scale(t.price_per_unit)
                ) order by t.above)
                from credits.price_tiers as t
                where t.price_id = c.price_id and t.dimension = c.dimension
            ), '[]')
        ) order by c.dimension)
        from credits.price_components as c
        where c.price_id = p_price_id
    );
end
$$;
comment on function credits.components_as_json(bigint) is
'The components of a version, by dimension, each with all its fields, as credits.define_price takes them.';

create or replace function credits.module_price(p_module_id text)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_price credits.prices;
begin
    select p.* into v_price
    from credits.prices as p
    where p.price_id = credits.find_price(p_module_id, credits.clock());
    if not found then
        return null;
    end if;
    return jsonb_build_object(
        'price_id', v_price.price_id,
        'margin', trim_scale(v_price.margin),
        'exchange_rate', trim_scale(v_price.exchange_rate),
        'components', (
            select jsonb_agg(c.component - 'provider_cost' order by c.number)
            from jsonb_array_elements(credits.components_as_json(v_price.price_id))
                with ordinality as c (component, number)
        )
    );
end
$$;
comment on function credits.module_price(text) is
'The price of a module as everybody may see it: without the provider''s cost.';

create or replace function credits.price_parts(p_price_id bigint, p_usage jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rated constant jsonb := credits.rated_usage(p_price_id, p_usage);
begin
    return (
        select jsonb_agg(jsonb_build_object(
            'dimension', c.dimension,
            'quantity', v_rated -> c.dimension,
            'includes', credits.counted_in(p_price_id, c.dimension, p_usage),
            'free_quantity', trim_scale(c.free_quantity),
            'unit_size', trim_scale(c.unit_size),
            'whole_units', c.whole_units,
            'units', trim_scale(b.billed / c.unit_size),
            'price_per_unit', trim_scale(c.price_per_unit),
            'tiers', credits.tiers_used(c.price_id, c.dimension, b.billed),
            'minimum_charge', trim_scale(c.minimum_charge),
            'charge', trim_scale(credits.tiered_charge(
                b.quantity, c.unit_size, c.price_per_unit, c.free_quantity, c.whole_units, c.minimum_charge,
                credits.tiers_of(c.price_id, c.dimension)
            ) / c.unit_size),
            'margin', trim_scale(p.margin),
            'exchange_rate', trim_scale(p.exchange_rate)
        ) order by c.dimension)
        from credits.price_components as c
        join credits.prices as p on p.price_id = c.price_id
        cross join lateral (
            select
                credits.quantity(v_rated -> c.dimension) as quantity,
                credits.charge(
                    credits.quantity(v_rated -> c.dimension), c.unit_size, 1, c.free_quantity, c.whole_units, 0
                ) as billed
        ) as b
        where c.price_id = p_price_id
    );
end
$$;
comment on function credits.price_parts(bigint, jsonb) is
'How a cost is made up, by dimension. quantity: all of it. includes: how much of it was named as a part without a rate '
'of its own, {dimension: quantity}. units: what is charged after the free quantity. charge: their price, or the '
'minimum, before margin and exchange rate. Fractions that do not end are rounded here; the cost itself is computed '
'without rounding them.';
