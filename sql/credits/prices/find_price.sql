-- The price that is valid at a time: the module's own, otherwise that of its category, otherwise the default. A module
-- that is listed and withdrawn has no price. A module that is not listed may have the default price.
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

    -- Another spelling of a listed module is not another module.
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
'The price of a module at a time: its own, otherwise that of its category, otherwise the default. Null when there is '
'none, or when the id looks like that of a listed module.';
