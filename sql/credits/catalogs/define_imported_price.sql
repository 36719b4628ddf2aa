-- A price that comes from a list of somebody else, such as the package genai-prices. A price that a person has set is
-- kept.
--
--   1. Refuse what makes no sense. One writer at a time.
--   2. Keep what a person has decided: a module that is withdrawn, or whose price was written by hand.
--   3. Write a new version, unless the version in force says the same.

create or replace function credits.define_imported_price(
    p_origin text,
    p_module_id text,
    p_title text,
    p_components jsonb,
    p_margin numeric default 1,
    p_exchange_rate numeric default 1
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_line credits.prices;
    v_before bigint;
    v_kept text;
    v_after bigint;
begin
    -- 1. Refuse.
    if not credits.is_name(p_origin, 200) then
        perform credits.refuse_line('price of', 'module ' || p_module_id, 'an imported price has an origin, which is a name');
    end if;
    lock table credits.prices in share row exclusive mode;
    if not exists (select from credits.modules as m where m.module_id = p_module_id) then
        perform credits.define_module(p_module_id, p_title);
    end if;
    v_line.module_id := p_module_id;
    v_line.margin := p_margin;
    v_line.exchange_rate := p_exchange_rate;
    v_line.origin := p_origin;

    -- 2. Keep.
    v_before := credits.price_to_replace(p_module_id);
    v_kept := credits.kept_price(p_module_id, v_before, p_origin);
    if v_kept is not null then
        perform credits.check_price('module ' || p_module_id, v_line);
        perform credits.check_components('module ' || p_module_id, p_components);
        v_after := v_before;
    else
        -- 3. Write.
        v_after := credits.put_price(v_line, p_components);
    end if;
    return jsonb_build_object(
        'state', case
            when v_kept is not null then 'kept'
            when v_before is null then 'new'
            when v_before is not distinct from v_after then 'unchanged'
            else 'changed'
        end,
        'why', v_kept,
        'before', credits.rates_of(v_before),
        'after', credits.rates_of(v_after),
        'offered', credits.rates(
            credits.check_components('module ' || p_module_id, p_components), p_margin, p_exchange_rate
        )
    );
end
$$;
comment on function credits.define_imported_price(text, text, text, jsonb, numeric, numeric) is
'Defines the price of a module as a list of somebody else has it, from now on, unless a person has set its price. '
'p_origin names that list. A module that is not listed yet is defined with p_title. The components, margin and '
'exchange rate are those of credits.define_price. Returns {"state": new, changed, unchanged or kept, "why": why it was '
'kept, "before", "after", "offered": {dimension: tokens per million, before free quantities, tiers and minimums}}. '
'Raises PT422 bad_catalog.';

create or replace function credits.price_to_replace(p_module_id text)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Nobody has chosen the default price for this module.
    return (
        select p.price_id
        from credits.prices as p
        join credits.modules as m on m.module_id = p_module_id
        where
            p.valid_from <= credits.clock()
            and (p.module_id = m.module_id or p.category_id = m.category_id and p.module_id is null)
        order by p.module_id nulls last, p.valid_from desc
        limit 1
    );
end
$$;
comment on function credits.price_to_replace(text) is
'The version of a price that a module has now, withdrawn or not: its own, otherwise that of its category. Null when it '
'has neither.';

create or replace function credits.kept_price(p_module_id text, p_price_id bigint, p_origin text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_price credits.prices;
begin
    select p.* into v_price from credits.prices as p where p.price_id = p_price_id;
    return case
        when exists (select from credits.modules as m where m.module_id = p_module_id and not m.active)
            then 'the module is withdrawn'
        when v_price.price_id is null then null
        when v_price.category_id is not null then format('its price is that of the category %s', v_price.category_id)
        when v_price.origin is null then 'its price was set by hand'
        when v_price.origin is distinct from p_origin then format('its price comes from %s', v_price.origin)
    end;
end
$$;
comment on function credits.kept_price(text, bigint, text) is
'Why an import from p_origin leaves a module''s price p_price_id alone, in words. Null when it may write another '
'version.';

create or replace function credits.rates(p_components jsonb, p_margin numeric, p_exchange_rate numeric)
returns jsonb
language sql
immutable
begin atomic
    select
        jsonb_object_agg(
            c.dimension,
            trim_scale(round(c.price_per_unit * p_margin * 1000000 / (c.unit_size * p_exchange_rate), 6))
        )
    from jsonb_to_recordset(p_components) as c (dimension text, unit_size numeric, price_per_unit numeric);
end;
comment on function credits.rates(jsonb, numeric, numeric) is
'What a million of each dimension costs, in tokens, without free quantities, tiers and minimums. p_components: with '
'the defaults filled in.';

create or replace function credits.rates_of(p_price_id bigint)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select credits.rates(credits.components_as_json(p.price_id), p.margin, p.exchange_rate)
        from credits.prices as p
        where p.price_id = p_price_id
    );
end
$$;
comment on function credits.rates_of(bigint) is
'credits.rates of a version of a price. Null for null.';
