-- What a use costs. Prices live in the database; what a client says about a price is only ever compared.

-- The version that is valid at a time: the module's own, else its category's, else the default.
-- A module that is listed and withdrawn has no price; one that is not listed may have the default.
create or replace function credits.find_price(p_module_id text, p_at timestamptz)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_price_id bigint;
    v_category_id text;
    v_active boolean;
begin
    select p.price_id into v_price_id
    from credits.prices as p
    join credits.modules as m on p.module_id = m.module_id
    where p.module_id = p_module_id and p.category_id is null and p.valid_from <= p_at and m.active
    order by p.valid_from desc
    limit 1;
    if found then
        return v_price_id;
    end if;

    select m.active, m.category_id into v_active, v_category_id
    from credits.modules as m
    where m.module_id = p_module_id;
    if v_active is false or (length(p_module_id) between 1 and 200) is not true then
        return null;
    end if;

    select p.price_id into v_price_id
    from credits.prices as p
    where p.category_id = v_category_id and p.module_id is null and p.valid_from <= p_at
    order by p.valid_from desc
    limit 1;
    if found then
        return v_price_id;
    end if;

    -- Another spelling of a listed module is no other module.
    if v_active is null and credits.is_misspelled(p_module_id) is true then
        return null;
    end if;
    select p.price_id into v_price_id
    from credits.prices as p
    where p.module_id is null and p.category_id is null and p.valid_from <= p_at
    order by p.valid_from desc
    limit 1;
    return v_price_id;
end
$$;
comment on function credits.find_price(text, timestamptz) is
'The price of a module at a time: its own, else its category''s, else the default; null when there is none, or when a '
'listed module is nearly spelled like this.';

-- What one component takes for a quantity, before margin and exchange rate, times its unit_size: so that nothing is
-- divided, and nothing rounded, before the end.
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
    when quantity is null then null
    when (quantity <= free_quantity) is true then 0
    when whole_units is true
        then
            greatest(
                (div(quantity - free_quantity, unit_size) + (mod(quantity - free_quantity, unit_size) > 0)::integer)
                * price_per_unit,
                minimum_charge
            ) * unit_size
    else greatest((quantity - free_quantity) * price_per_unit, minimum_charge * unit_size)
end;
comment on function credits.charge(numeric, numeric, numeric, numeric, boolean, numeric) is
'What a component of a price takes for a quantity, before margin and exchange rate, times unit_size. Exact.';

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
    v_component record;
    v_rest jsonb;
    v_said jsonb;
    v_quantity numeric;
    v_charge numeric;
    -- The sum so far, as an exact fraction.
    v_numerator numeric := 0.0;
    v_denominator numeric := 1.0;
begin
    -- 1. Nothing said of the usage: one call. What that costs stands in the list, unless the price counts other things; and
    --    so does what a price takes that is so much for a unit.
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
            v_charge := v_quantity * v_listed.numerator;
            cost := credits.ceil_tokens(v_charge, v_listed.denominator);
            if (cost <= 1000000000000) is true then
                return;
            end if;
        end if;
    end if;

    -- 2. The price in force; for what the list does not know, the default. Charge each component and add up; a quantity
    --    that is no sane number makes the sum null.
    v_rest := case when (jsonb_typeof(usage) = 'object') is true then usage end;
    for v_component in
        select
            c.dimension, c.unit_size, c.price_per_unit, c.free_quantity, c.whole_units, c.minimum_charge, c.tiered,
            c.whole_quantity, p.price_id, p.margin, p.exchange_rate, credits.price_source(p) as price_source
        from credits.price_components as c
        join credits.prices as p on c.price_id = p.price_id
        where c.price_id = coalesce(p_price_id, v_listed.price_id, credits.find_price(p_module_id, p_at))
    loop
        price_id := v_component.price_id;
        price_source := v_component.price_source;
        -- By itself: as an argument it would be too dear for the planner to put credits.charge in its place.
        v_quantity := credits.quantity(usage -> v_component.dimension);
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

    -- 3. Margin and currency, and the one rounding: up, at ledger scale.
    cost := credits.ceil_tokens(v_numerator * v_component.margin, v_denominator * v_component.exchange_rate);

    -- 4. The usage gave exactly the dimensions of the price, and what it costs is an amount.
    if (v_rest = '{}' and cost <= 1000000000000 and pg_column_size(usage) <= 2048) is not true then
        perform credits.refuse_usage(price_id, p_module_id);
    end if;
end
$$;
comment on function credits.price_usage(text, jsonb, timestamptz, bigint) is
'The cost of a use of a module, the usage as it is recorded, and the version of the price: the one in force, or the '
'one that is named; and whose it is: module, category or default. Raises PT404 unknown_module, PT422 bad_usage.';

create or replace function credits.quantity(quantity jsonb)
returns numeric
language sql
immutable
return case
    -- CASE keeps what is no number from being cast.
    when (jsonb_typeof(quantity) = 'number') is not true then null
    -- BETWEEN comes second: a dump spells it otherwise where it comes first.
    when (scale(quantity::numeric) <= 30 and quantity::numeric between 0 and 1000000000000000) is true
        then quantity::numeric
end;
comment on function credits.quantity(jsonb) is
'A quantity of usage, if it is a number from 0 to 10^15 with at most 30 decimals; else null.';

create or replace function credits.whole(quantity numeric)
returns numeric
language sql
immutable
return case when (quantity = trunc(quantity)) is true then quantity end;
comment on function credits.whole(numeric) is 'A quantity, if it is a whole number; else null.';

create or replace function credits.ceil_tokens(numerator numeric, denominator numeric)
returns numeric
language sql
immutable
-- div and mod are exact, where a division would round before we round up.
return (div(numerator * 1000000, denominator) + sign(mod(numerator * 1000000, denominator))) / 1000000.000000;
comment on function credits.ceil_tokens(numeric, numeric) is 'A quotient at ledger scale, up.';

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
begin
    if p_price_id is null then
        perform credits.refuse_module(p_module_id);
    end if;
    perform credits.fail(
        422, 'bad_usage', format(
            'usage names exactly %s, each a number from 0 to 10^15%s, and costs at most 10^12',
            array_to_string(v_dimensions, ', '),
            case when v_whole <> '{}' then format(' (%s: a whole number)', array_to_string(v_whole, ', ')) else '' end
        ),
        json_build_object('dimensions', v_dimensions)
    );
end
$$;
comment on function credits.refuse_usage(bigint, text) is
'Raises PT404 unknown_module without a price, else PT422 bad_usage.';

-- Whoever writes rows that cost nothing fills the ledger for nothing. A service may: it has its reasons.
create or replace function credits.check_free_use(
    p_price_id bigint, p_account_id uuid default null, p_at timestamptz default null
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_dimensions constant text[] := array(
        select c.dimension from credits.price_components as c where c.price_id = p_price_id order by c.dimension
    );
begin
    if credits.is_spender() is true then
        return;
    elsif (credits.unit_cost(p_price_id) = 0) is true then
        if p_account_id is not null then
            perform credits.make_unpaid(p_account_id, p_at);
        end if;
        return;
    end if;
    perform credits.fail(
        422, 'bad_usage', 'this use costs nothing, though a whole unit costs something: only a service may charge it',
        json_build_object('dimensions', v_dimensions)
    );
end
$$;
comment on function credits.check_free_use(bigint, uuid, timestamptz) is
'Raises PT422 bad_usage for a user whose use costs 0, unless one whole unit of each dimension costs 0. Then, with the '
'account whose wallet is locked, the use counts as one that nobody pays: raises PT429 unpaid_limit.';

create or replace function credits.unit_cost(p_price_id bigint)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select
            sum(
                p.margin * credits.tiered_charge(
                    c.unit_size, c.unit_size, c.price_per_unit, c.free_quantity, c.whole_units, c.minimum_charge,
                    credits.tiers_of(c.price_id, c.dimension)
                )
            )
        from credits.price_components as c
        join credits.prices as p on c.price_id = p.price_id
        where c.price_id = p_price_id
    );
end
$$;
comment on function credits.unit_cost(bigint) is
'What one whole unit (unit_size) of each dimension costs under a price, before the exchange rate and times the unit '
'sizes: good for a comparison with 0.';
