-- The words of a catalogue file for prices. A price is never edited: a changed one is a new version, from now or from a
-- time to come, and the version before ends there.
--
--   1. One writer at a time.
--   2. What makes no sense is refused, with the name of the line.
--   3. The same again is nothing to do; another price for the same time overlaps, and is refused.
--   4. A new version. The price list follows (list_prices.sql).

create or replace function credits.define_dimension(p_dimension text, p_description text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.check_line(p_dimension, p_description);
    insert into credits.dimensions as d (dimension, description) values (p_dimension, p_description)
    on conflict (dimension) do update
    set description = excluded.description where d.description <> excluded.description;
exception
    when check_violation or not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('dimension', p_dimension, sqlerrm);
end
$$;
comment on function credits.define_dimension(text, text) is
'Something that usage can be measured in, for prices to name. Raises PT422 bad_catalogue.';

create or replace function credits.define_price(
    p_components jsonb,
    p_module_id text default null,
    p_category_id text default null,
    p_margin numeric default 1,
    p_exchange_rate numeric default 1,
    p_valid_from timestamptz default null
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_name constant text := coalesce('module ' || p_module_id, 'category ' || p_category_id, 'default');
    v_now timestamptz;
    v_components jsonb;
    v_current credits.prices;
    v_version credits.prices;
    v_same boolean;
    -- The targets that this transaction has given a price from now on.
    v_said constant jsonb := coalesce(nullif(current_setting('pgcredits.priced_from_now', true), ''), '[]')::jsonb;
    v_price_id bigint;
begin
    -- 1. One writer.
    lock table credits.prices in share row exclusive mode;
    v_now := credits.clock();

    -- 2. Refuse.
    if p_module_id is not null and not exists (select from credits.modules as m where m.module_id = p_module_id) then
        perform credits.refuse_line('price of', v_name, 'no such module');
    elsif p_category_id is not null
        and not exists (select from credits.module_categories as c where c.category_id = p_category_id) then
        perform credits.refuse_line('price of', v_name, 'no such category');
    elsif num_nonnulls(p_module_id, p_category_id) > 1 then
        perform credits.refuse_line('price of', v_name, 'it is of a module or of a category');
    elsif (p_margin >= 0 and p_margin < 1000000 and scale(p_margin) <= 30) is not true then
        perform credits.refuse_line('price of', v_name, 'margin is a factor from 0 to 10^6');
    elsif (p_exchange_rate > 0 and p_exchange_rate < 1000000000 and scale(p_exchange_rate) <= 30) is not true then
        perform credits.refuse_line('price of', v_name, 'exchange_rate is above 0, up to 10^9');
    elsif credits.is_sane_time(p_valid_from) is not true then
        perform credits.refuse_line('price of', v_name, 'valid_from is a time from the year 2000 to 9999');
    end if;
    v_components := credits.check_components(v_name, p_components);

    -- 3. The version in force, and the one that begins when this one would.
    select p.* into v_current
    from credits.prices as p
    where
        p.module_id is not distinct from p_module_id and p.category_id is not distinct from p_category_id
        and p.valid_from <= v_now
    order by p.valid_from desc
    limit 1;
    if p_valid_from is null then
        v_version := v_current;
    else
        select p.* into v_version
        from credits.prices as p
        where
            p.module_id is not distinct from p_module_id and p.category_id is not distinct from p_category_id
            and p.valid_from = p_valid_from;
    end if;
    v_same := coalesce(
        (v_version.margin, v_version.exchange_rate) = (p_margin, p_exchange_rate)
        and credits.components_as_json(v_version.price_id) = v_components,
        false
    );
    if p_valid_from is null then
        if v_said ? v_name and not v_same then
            perform credits.refuse_line('price of', v_name, 'overlaps the other price without valid_from in the same file');
        end if;
        perform set_config('pgcredits.priced_from_now', (v_said || to_jsonb(v_name))::text, true);
    elsif v_version.price_id is not null and not v_same then
        perform credits.refuse_line(
            'price of', v_name,
            format('overlaps the other version that begins at %s: choose a later time', credits.utc_text(p_valid_from))
        );
    elsif (
        p_valid_from <= v_now and v_said ? v_name and v_current.defined_at = credits.transaction_began()
    ) is true then
        -- The line before has just ended this version, which has begun since it was written down as a later one.
        perform credits.refuse_line(
            'price of', v_name,
            format(
                'overlaps the price without valid_from in the same file: this one has begun, at %s',
                credits.utc_text(p_valid_from)
            )
        );
    elsif p_valid_from <= v_now and v_version.price_id is null and exists (
        select
        from credits.prices as p
        where
            p.module_id is not distinct from p_module_id and p.category_id is not distinct from p_category_id
            and p.valid_from <= v_now and p.defined_at <> credits.transaction_began()
    ) then
        perform credits.refuse_line(
            'price of', v_name,
            format('overlaps the price that was valid from %s on: the past stays', credits.utc_text(p_valid_from))
        );
    end if;
    if v_same then
        return v_version.price_id;
    end if;

    -- 4. A new version.
    insert into credits.prices (module_id, category_id, valid_from, margin, exchange_rate)
    values (p_module_id, p_category_id, coalesce(p_valid_from, v_now), p_margin, p_exchange_rate)
    returning price_id into v_price_id;
    insert into credits.price_components (
        price_id, dimension, unit_size, price_per_unit, free_quantity, whole_units, whole_quantity, minimum_charge,
        provider_cost, tiered
    )
    select
        v_price_id, c.dimension, c.unit_size, c.price_per_unit, c.free_quantity, c.whole_units, c.whole_quantity,
        c.minimum_charge, c.provider_cost, c.tiers <> '[]'
    from jsonb_to_recordset(v_components) as c (
        dimension text, unit_size numeric, price_per_unit numeric, free_quantity numeric, whole_units boolean,
        whole_quantity boolean, minimum_charge numeric, provider_cost numeric, tiers jsonb
    );
    insert into credits.price_tiers (price_id, dimension, above, price_per_unit)
    select v_price_id, c.dimension, t.above, t.price_per_unit
    from jsonb_to_recordset(v_components) as c (dimension text, tiers jsonb)
    cross join lateral jsonb_to_recordset(c.tiers) as t (above numeric, price_per_unit numeric);
    return v_price_id;
end
$$;
comment on function credits.define_price(jsonb, text, text, numeric, numeric, timestamptz) is
'The price of a module, of a category, or the default, from p_valid_from on: null is now, a time to come is a later '
'version; a time that has been, from the year 2000, only while the target has no version yet. '
'components: [{dimension, price_per_unit, '
'unit_size = 1, free_quantity = 0, whole_units = false, whole_quantity = false, minimum_charge = 0, provider_cost, '
'tiers: [{above, price_per_unit}]}]. whole_units: units begun are charged whole; whole_quantity: a quantity that is no '
'whole number is refused. The version, which is the one there is when it is the same. Raises PT422 bad_catalogue.';

create or replace function credits.check_components(p_name text, p_components jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_component jsonb;
    v_dimension text;
    v_field record;
begin
    if jsonb_typeof(p_components) is distinct from 'array' or jsonb_array_length(p_components) = 0 then
        perform credits.refuse_line('price of', p_name, 'components is an array of at least one');
    end if;
    for v_component in select c.value from jsonb_array_elements(p_components) as c loop
        v_dimension := v_component ->> 'dimension';
        if jsonb_typeof(v_component) is distinct from 'object' or v_dimension is null then
            perform credits.refuse_line('price of', p_name, 'a component is an object with a dimension');
        elsif not exists (select from credits.dimensions as d where d.dimension = v_dimension) then
            perform credits.refuse_line('price of', p_name, format('unknown dimension %L', left(v_dimension, 100)));
        elsif not v_component ? 'price_per_unit' then
            perform credits.refuse_line('price of', p_name, format('%s without price_per_unit', v_dimension));
        end if;
        for v_field in select f.key, f.value from jsonb_each(v_component) as f loop
            case v_field.key
                when 'dimension' then
                    continue;
                when 'tiers' then
                    perform credits.check_tiers(p_name, v_dimension, v_field.value);
                when 'whole_units', 'whole_quantity' then
                    if jsonb_typeof(v_field.value) is distinct from 'boolean' then
                        perform credits.refuse_line(
                            'price of', p_name, format('%s of %s is true or false', v_field.key, v_dimension)
                        );
                    end if;
                when 'unit_size', 'price_per_unit', 'free_quantity', 'minimum_charge', 'provider_cost' then
                    if credits.quantity(v_field.value) is null
                        or v_field.key = 'unit_size' and credits.quantity(v_field.value) = 0 then
                        perform credits.refuse_line(
                            'price of', p_name, format(
                                '%s of %s is a number %s to 10^15', v_field.key, v_dimension,
                                case v_field.key when 'unit_size' then 'above 0, up' else 'from 0' end
                            )
                        );
                    end if;
                else
                    perform credits.refuse_line(
                        'price of', p_name, format('unknown field %L of %s', left(v_field.key, 100), v_dimension)
                    );
            end case;
        end loop;
    end loop;
    if (select count(*) > count(distinct c.value -> 'dimension') from jsonb_array_elements(p_components) as c) then
        perform credits.refuse_line('price of', p_name, 'the same dimension twice');
    end if;
    return (
        select jsonb_agg(
            '{"unit_size": 1, "free_quantity": 0, "whole_units": false, "whole_quantity": false, "minimum_charge": 0,
              "provider_cost": null, "tiers": []}' || c.value
            order by c.value ->> 'dimension'
        )
        from jsonb_array_elements(p_components) as c
    );
end
$$;
comment on function credits.check_components(text, jsonb) is
'The components of a price as credits.components_as_json would give them, with the defaults filled in. Raises PT422 '
'bad_catalogue for anything that is none.';

create or replace function credits.check_tiers(p_name text, p_dimension text, p_tiers jsonb)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_tier jsonb;
    v_before numeric := 0;
begin
    if jsonb_typeof(p_tiers) <> 'array' or jsonb_array_length(p_tiers) = 0 then
        perform credits.refuse_line('price of', p_name, format('tiers of %s is an array of at least one', p_dimension));
    end if;
    for v_tier in select t.value from jsonb_array_elements(p_tiers) as t loop
        if jsonb_typeof(v_tier) <> 'object' or v_tier - array['above', 'price_per_unit'] <> '{}'
            or credits.quantity(v_tier -> 'above') is null or credits.quantity(v_tier -> 'price_per_unit') is null then
            perform credits.refuse_line(
                'price of', p_name,
                format('a tier of %s is {"above", "price_per_unit"}, numbers from 0 to 10^15', p_dimension)
            );
        elsif credits.quantity(v_tier -> 'above') <= v_before then
            perform credits.refuse_line(
                'price of', p_name, format('tiers of %s begin above 0, each above the one before', p_dimension)
            );
        end if;
        v_before := credits.quantity(v_tier -> 'above');
    end loop;
end
$$;
comment on function credits.check_tiers(text, text, jsonb) is
'Raises PT422 bad_catalogue unless these are tiers, in ascending order.';
