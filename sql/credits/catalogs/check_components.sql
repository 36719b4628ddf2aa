-- The components of a price, as a price list spells them.

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
'Checks the components of a price, and returns them as credits.components_as_json would, with the defaults filled in. '
'Raises PT422 bad_catalog.';

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
'Checks that these are tiers, in ascending order. Raises PT422 bad_catalog.';
