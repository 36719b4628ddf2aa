-- What a use costs. Prices live in the database; what a client says about a price is only ever compared.

create or replace function credits.price_usage(
    p_module_id text,
    p_usage jsonb,
    p_at timestamptz,
    p_price_id bigint default null,
    out price_id bigint,
    out usage jsonb,
    out cost numeric,
    out price_source text
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_listed record;
    v_summed record;
    v_said jsonb;
    v_quantity numeric;
begin
    -- 1. Without a usage this is one call. The list has its cost, unless the price counts other things.
    if p_usage is distinct from '{}' then
        usage := p_usage;
    else
        usage := '{"calls": 1}';
        if p_price_id is null then
            select l.price_id, l.call_cost, l.price_source into price_id, cost, price_source
            from credits.price_list as l
            where l.module_id = p_module_id and l.valid_from <= p_at and l.valid_until > p_at;
            if cost is not null then
                return;
            end if;
        end if;
    end if;

    -- 2. For a price of one dimension with a fixed price per unit, the list has that price, too.
    select l.price_id, l.dimension, l.numerator, l.denominator, l.price_source, l.whole_quantity into v_listed
    from credits.price_list as l
    where
        l.module_id = p_module_id
        and case
            when p_price_id is null then l.valid_from <= p_at and l.valid_until > p_at
            else l.price_id = p_price_id
        end;
    price_id := v_listed.price_id;
    price_source := v_listed.price_source;
    if v_listed.dimension is not null then
        v_said := usage -> v_listed.dimension;
        if (usage = jsonb_build_object(v_listed.dimension, v_said)) is true then
            v_quantity := credits.quantity(v_said);
            if v_listed.whole_quantity is true then
                v_quantity := credits.whole(v_quantity);
            end if;
            cost := v_quantity * v_listed.numerator;
            if (v_listed.denominator = 1 and v_listed.whole_quantity) is not true then
                cost := credits.ceil_tokens(cost, v_listed.denominator);
            end if;
            if (cost <= 1000000000000) is true then
                return;
            end if;
        end if;
    end if;

    -- 3. Any other price: its components are added up. A module that is not listed may have the default price.
    v_summed := credits.sum_components(
        coalesce(p_price_id, v_listed.price_id, credits.find_price(p_module_id, p_at)), usage
    );
    price_id := v_summed.price_id;
    price_source := v_summed.price_source;

    -- 4. A usage may name parts of a dimension, or leave them out.
    if (v_summed.exact and v_summed.cost is not null) is not true then
        v_summed := credits.sum_components(price_id, credits.rated_usage(price_id, usage));
    end if;
    cost := v_summed.cost;
    if (v_summed.exact and cost <= 1000000000000 and pg_column_size(usage) <= 2048) is not true then
        perform credits.refuse_usage(price_id, p_module_id);
    end if;
end
$$;
comment on function credits.price_usage(text, jsonb, timestamptz, bigint) is
'The cost of a use of a module. usage: the usage as it is recorded. price_id: the version of the price that is in '
'force, or the one that is named. price_source: whose price it is, module, category or default. The usage may name '
'dimensions whose parent has a rate (credits.rated_usage). Raises PT404 unknown_module, PT422 bad_usage.';

create or replace function credits.sum_components(
    p_price_id bigint,
    p_usage jsonb,
    out price_id bigint,
    out cost numeric,
    out price_source text,
    out exact boolean
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_component record;
    v_rest jsonb := case when (jsonb_typeof(p_usage) = 'object') is true then p_usage end;
    v_quantity numeric;
    -- The sum so far, as an exact fraction.
    v_numerator numeric := 0.0;
    v_denominator numeric := 1.0;
begin
    for v_component in
        select
            c.dimension, c.unit_size, c.price_per_unit, c.free_quantity, c.whole_units, c.minimum_charge, c.tiered,
            c.whole_quantity, p.price_id, p.margin, p.exchange_rate, credits.price_source(p) as price_source
        from credits.price_components as c
        join credits.prices as p on c.price_id = p.price_id
        where c.price_id = p_price_id
    loop
        -- This is a separate subquery. As an argument it would be too complex for the planner to inline credits.charge.
        -- A quantity that cannot be charged is null here, and makes the sum null.
        v_quantity := credits.quantity(p_usage -> v_component.dimension);
        if v_component.whole_quantity is true then
            v_quantity := credits.whole(v_quantity);
        end if;
        if v_component.tiered then
            v_numerator := v_numerator * v_component.unit_size + v_denominator * credits.tiered_charge(
                v_quantity,
                v_component.unit_size, v_component.price_per_unit, v_component.free_quantity,
                v_component.whole_units, v_component.minimum_charge,
                credits.tiers_of(v_component.price_id, v_component.dimension)
            );
        else
            v_numerator := v_numerator * v_component.unit_size + v_denominator * credits.charge(
                v_quantity,
                v_component.unit_size, v_component.price_per_unit, v_component.free_quantity,
                v_component.whole_units, v_component.minimum_charge
            );
        end if;
        v_denominator := v_denominator * v_component.unit_size;
        v_rest := v_rest - v_component.dimension;
    end loop;
    price_id := v_component.price_id;
    price_source := v_component.price_source;
    exact := v_rest = '{}';

    -- Apply margin and exchange rate, and round once: up, at ledger scale.
    cost := credits.ceil_tokens(v_numerator * v_component.margin, v_denominator * v_component.exchange_rate);
end
$$;
comment on function credits.sum_components(bigint, jsonb) is
'What a use costs under a version of a price, in tokens: the sum over its components. exact: the usage names the '
'dimensions of the price and no other. cost is null when a quantity cannot be charged, price_id when there is no '
'price.';
