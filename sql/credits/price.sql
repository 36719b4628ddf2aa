-- What a use costs. Prices live in the database; what a client says about a price is only ever compared.

-- The version that is valid at a time: the module's own, else its category's, else the default.
-- A module that is listed and withdrawn has no price; one that is not listed may have the default.
create or replace function credits.find_price(
    p_module_id text,
    p_at timestamptz,
    out price_id bigint,
    out margin numeric,
    out exchange_rate numeric,
    out category_id text
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_active boolean;
begin
    select m.active, m.category_id into v_active, category_id
    from credits.modules as m
    where m.module_id = p_module_id;
    if not v_active then
        return;
    end if;

    select p.price_id, p.margin, p.exchange_rate into price_id, margin, exchange_rate
    from credits.prices as p
    where p.module_id = p_module_id and p.category_id is null and p.valid_from <= p_at
    order by p.valid_from desc
    limit 1;
    if not found and category_id is not null then
        select p.price_id, p.margin, p.exchange_rate into price_id, margin, exchange_rate
        from credits.prices as p
        where p.category_id = find_price.category_id and p.module_id is null and p.valid_from <= p_at
        order by p.valid_from desc
        limit 1;
    end if;
    if price_id is null then
        select p.price_id, p.margin, p.exchange_rate into price_id, margin, exchange_rate
        from credits.prices as p
        where p.module_id is null and p.category_id is null and p.valid_from <= p_at
        order by p.valid_from desc
        limit 1;
    end if;
end
$$;
comment on function credits.find_price(text, timestamptz) is
'The price of a module at a time: its own, else its category''s, else the default; null when there is none. And the '
'module''s category.';

-- What one component takes for a quantity, before margin and exchange rate.
create or replace function credits.charge(
    quantity numeric,
    unit_size numeric,
    price_per_unit numeric,
    free_quantity numeric,
    whole_units boolean,
    minimum_charge numeric
)
returns numeric
language sql
immutable
return case
    when quantity <= free_quantity then 0
    when whole_units
        then
            greatest(
                (div(quantity - free_quantity, unit_size) + (mod(quantity - free_quantity, unit_size) > 0)::integer)
                * price_per_unit,
                minimum_charge
            )
    else greatest((quantity - free_quantity) * price_per_unit / unit_size, minimum_charge)
end;
comment on function credits.charge(numeric, numeric, numeric, numeric, boolean, numeric) is
'What a component of a price takes for a quantity, before margin and exchange rate.';

create or replace function credits.price_usage(
    p_module_id text,
    p_usage jsonb,
    p_at timestamptz,
    out price_id bigint,
    out category_id text,
    out usage jsonb,
    out cost numeric
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_price record;
    v_component credits.price_components;
    v_quantity numeric;
    v_micro numeric := 0.0;
    v_dimensions text[] := '{}';
    v_valid boolean := jsonb_typeof(p_usage) = 'object';
begin
    -- 1. The version of the price that is valid.
    v_price := credits.find_price(p_module_id, p_at);
    if v_price.price_id is null or p_module_id is null or length(p_module_id) not between 1 and 200 then
        perform credits.fail(404, 'unknown_module', 'no such module');
    end if;
    price_id := v_price.price_id;
    category_id := v_price.category_id;

    -- 2. Charge each of its components. Nothing said: one call.
    usage := case when p_usage = '{}' then '{"calls": 1}' else p_usage end;
    for v_component in select c.* from credits.price_components as c where c.price_id = v_price.price_id loop
        v_dimensions := v_dimensions || v_component.dimension;
        v_quantity := null;
        if jsonb_typeof(usage -> v_component.dimension) = 'number' then
            v_quantity := (usage ->> v_component.dimension)::numeric;
        end if;
        if v_quantity between 0 and 1000000000000000 then
            v_micro := v_micro + 1000000 * credits.charge(
                v_quantity, v_component.unit_size, v_component.price_per_unit, v_component.free_quantity,
                v_component.whole_units, v_component.minimum_charge
            );
        else
            v_valid := false;
        end if;
    end loop;

    -- 3. The usage gives exactly the dimensions of the price, each a sane number.
    if v_valid is not true or usage - v_dimensions <> '{}' then
        perform credits.fail(
            422, 'bad_usage', 'usage gives each dimension of the price a number from 0 to 10^15',
            json_build_object('dimensions', v_dimensions)
        );
    end if;

    -- 4. Margin and currency, and the one rounding: up, at ledger scale. div and mod are exact, where a division
    -- would
    -- round first.
    v_micro := v_micro * v_price.margin;
    cost := (div(v_micro, v_price.exchange_rate) + (mod(v_micro, v_price.exchange_rate) > 0)::integer) / 1000000.000000;
    if cost > 1000000000000 then
        perform credits.fail(422, 'bad_usage', 'this usage costs more than 10^12');
    end if;
end
$$;
comment on function credits.price_usage(text, jsonb, timestamptz) is
'The cost of a use of a module, the usage as it is recorded, and the version of the price. Raises PT404 '
'unknown_module, PT422 bad_usage.';

-- The inverse of a price: how much may be used for so many tokens.
create or replace function credits.affordable(p_price_id bigint, p_cost numeric, p_tokens numeric)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_price credits.prices;
    v_component credits.price_components;
    v_budget numeric;
begin
    select p.* into v_price from credits.prices as p where p.price_id = p_price_id;

    -- Several dimensions: whole repeats of the use that was priced.
    if (select count(*) from credits.price_components as c where c.price_id = p_price_id) > 1 then
        return floor(p_tokens / nullif(p_cost, 0));
    end if;

    select c.* into v_component from credits.price_components as c where c.price_id = p_price_id;
    if v_component.price_per_unit * v_price.margin = 0 then
        return null;
    end if;
    v_budget := p_tokens * v_price.exchange_rate / v_price.margin;
    if v_budget < v_component.minimum_charge then
        return floor(v_component.free_quantity);
    elsif v_component.whole_units then
        return floor(v_component.free_quantity + div(v_budget, v_component.price_per_unit) * v_component.unit_size);
    end if;
    return floor(v_component.free_quantity + v_budget * v_component.unit_size / v_component.price_per_unit);
end
$$;
comment on function credits.affordable(bigint, numeric, numeric) is
'How much p_tokens pay: the quantity of the price''s one dimension, or, when it has several, how many uses that cost'
' p_cost. Null when it is free.';

create or replace function credits.price_parts(p_price_id bigint, p_usage jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_agg(jsonb_build_object(
            'dimension', c.dimension,
            'quantity', p_usage -> c.dimension,
            'unit_size', trim_scale(c.unit_size),
            'price_per_unit', trim_scale(c.price_per_unit),
            'charge', trim_scale(credits.charge(
                (p_usage ->> c.dimension)::numeric,
                c.unit_size, c.price_per_unit, c.free_quantity, c.whole_units, c.minimum_charge
            )),
            'margin', trim_scale(p.margin),
            'exchange_rate', trim_scale(p.exchange_rate)
        ) order by c.dimension)
        from credits.price_components as c
        join credits.prices as p on p.price_id = c.price_id
        where c.price_id = p_price_id
    );
end
$$;
comment on function credits.price_parts(bigint, jsonb) is
'How a cost comes about: the charge of each dimension before margin and exchange rate.';

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
    from credits.find_price(p_module_id, credits.clock()) as f
    join credits.prices as p on p.price_id = f.price_id;
    if not found then
        return null;
    end if;
    return jsonb_build_object(
        'price_id', v_price.price_id,
        'margin', trim_scale(v_price.margin),
        'exchange_rate', trim_scale(v_price.exchange_rate),
        'components', (
            select jsonb_agg(jsonb_build_object(
                'dimension', c.dimension,
                'unit_size', trim_scale(c.unit_size),
                'price_per_unit', trim_scale(c.price_per_unit),
                'free_quantity', trim_scale(c.free_quantity),
                'whole_units', c.whole_units,
                'minimum_charge', trim_scale(c.minimum_charge)
            ) order by c.dimension)
            from credits.price_components as c
            where c.price_id = v_price.price_id
        )
    );
end
$$;
comment on function credits.module_price(text) is
'The price of a module as anybody may see it: without the provider''s cost.';
