-- Graduated tiers: in each charge, the units above a number have another price. All amounts are scaled as in
-- credits.charge, so that nothing is divided.

create or replace function credits.tiers_of(p_price_id bigint, p_dimension text)
returns credits.price_tiers[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select t
        from credits.price_tiers as t
        where t.price_id = p_price_id and t.dimension = p_dimension
        order by t.above
    );
end
$$;
comment on function credits.tiers_of(bigint, text) is 'The tiers of a component, in ascending order.';

create or replace function credits.tiered_charge(
    p_quantity numeric,
    p_unit_size numeric,
    p_price_per_unit numeric,
    p_free_quantity numeric,
    p_whole_units boolean,
    p_minimum_charge numeric,
    p_tiers credits.price_tiers[]
)
returns numeric
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- At a price of 1 and without a minimum, the charge is the quantity that is billed: units times unit_size.
    v_billed constant numeric := credits.charge(p_quantity, p_unit_size, 1, p_free_quantity, p_whole_units, 0);
    v_charge numeric := v_billed * p_price_per_unit;
    v_price numeric := p_price_per_unit;
    v_tier credits.price_tiers;
begin
    -- The quantity is within the free quantity, or is null.
    if v_billed > 0 is not true then
        return v_billed;
    end if;
    -- The part above the start of a tier changes from the price before to the price of the tier.
    foreach v_tier in array p_tiers loop
        exit when (v_billed <= v_tier.above * p_unit_size) is true;
        v_charge := v_charge + (v_billed - v_tier.above * p_unit_size) * (v_tier.price_per_unit - v_price);
        v_price := v_tier.price_per_unit;
    end loop;
    return greatest(coalesce(v_charge, 0), p_minimum_charge * p_unit_size);
end
$$;
comment on function credits.tiered_charge(
    numeric, numeric, numeric, numeric, boolean, numeric, credits.price_tiers[]
) is
'The credits.charge of a component with tiers: exact, times unit_size. Null for a null quantity.';

create or replace function credits.tiers_used(p_price_id bigint, p_dimension text, p_billed numeric)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce((
        select jsonb_agg(jsonb_build_object(
            'above', trim_scale(s.above),
            'units', trim_scale(least(p_billed / s.unit_size, coalesce(s.until, 'Infinity')) - s.above),
            'price_per_unit', trim_scale(s.price_per_unit)
        ) order by s.above)
        from (
            select b.above, b.price_per_unit, c.unit_size, lead(b.above) over (order by b.above) as until
            from credits.price_components as c
            cross join lateral (
                select 0 as above, c.price_per_unit
                union all
                select t.above, t.price_per_unit
                from credits.price_tiers as t
                where t.price_id = c.price_id and t.dimension = c.dimension
            ) as b
            where c.price_id = p_price_id and c.dimension = p_dimension and c.tiered
        ) as s
        where s.above * s.unit_size < p_billed
    ), '[]');
end
$$;
comment on function credits.tiers_used(bigint, text, numeric) is
'How the units of a charge are divided into tiers, including those below the first one: [{"above", "units", '
'"price_per_unit"}]. p_billed is units times unit_size. Empty without tiers.';
