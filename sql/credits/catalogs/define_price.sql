-- The price of a module, of a category, or of everything else. A price is never edited: a changed price is a new
-- version, from now on or from a time to come, and the version before it ends there.
--
--   1. One writer at a time.
--   2. Refuse what makes no sense, with the name of the line.
--   3. Find the version that the line is about: the one that begins at its time, or the one in force. Refuse a line
--      that overlaps another version. If the version says the same already, there is nothing to do.
--   4. Write a new version. The list of current prices follows it (list_prices.sql).

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
    v_line credits.prices;
begin
    v_line.module_id := p_module_id;
    v_line.category_id := p_category_id;
    v_line.margin := p_margin;
    v_line.exchange_rate := p_exchange_rate;
    v_line.valid_from := p_valid_from;
    return credits.put_price(v_line, p_components);
end
$$;
comment on function credits.define_price(jsonb, text, text, numeric, numeric, timestamptz) is
'Defines the price of a module, of a category, or of every other module (the default), and returns its version. '
'p_valid_from: null means now, and a time in the future makes a later version. A time in the past, from the year 2000 '
'on, is allowed only while there is no version yet. p_components: [{dimension, price_per_unit, unit_size = 1, '
'free_quantity = 0, whole_units = false, whole_quantity = false, minimum_charge = 0, provider_cost, tiers: [{above, '
'price_per_unit}]}]. whole_units: a unit that was begun is charged whole. whole_quantity: a quantity that is not a '
'whole number is refused. If the price is the same already, its version is returned. Raises PT422 bad_catalog.';

create or replace function credits.put_price(p_line credits.prices, p_components jsonb)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_name constant text := coalesce('module ' || p_line.module_id, 'category ' || p_line.category_id, 'default');
    v_now timestamptz;
    v_line credits.prices := p_line;
    v_current credits.prices;
    v_named credits.prices;
    v_components jsonb;
    v_same boolean;
    v_overlap text;
begin
    -- 1. One writer.
    lock table credits.prices in share row exclusive mode;
    v_now := credits.clock();

    -- 2. Refuse.
    perform credits.check_price(v_name, v_line);
    v_components := credits.check_components(v_name, p_components);

    -- 3. The version in force, and the one that the line is about.
    select p.* into v_current
    from credits.prices as p
    where
        p.module_id is not distinct from v_line.module_id and p.category_id is not distinct from v_line.category_id
        and p.valid_from <= v_now
    order by p.valid_from desc
    limit 1;
    if v_line.valid_from is null then
        v_named := v_current;
    else
        select p.* into v_named
        from credits.prices as p
        where
            p.module_id is not distinct from v_line.module_id and p.category_id is not distinct from v_line.category_id
            and p.valid_from = v_line.valid_from;
    end if;
    v_same := (
        (v_named.margin, v_named.exchange_rate) = (v_line.margin, v_line.exchange_rate)
        -- A person's line takes over a version that was imported.
        and v_named.origin is not distinct from v_line.origin
        and credits.components_as_json(v_named.price_id) = v_components
    ) is true;
    v_overlap := credits.price_overlap(v_name, v_line, v_current, v_named, v_same, v_now);
    if v_overlap is not null then
        perform credits.refuse_line('price of', v_name, 'overlaps ' || v_overlap);
    elsif v_same then
        return v_named.price_id;
    end if;

    -- 4. A new version.
    v_line.valid_from := coalesce(v_line.valid_from, v_now);
    return credits.write_price(v_line, v_components);
end
$$;
comment on function credits.put_price(credits.prices, jsonb) is
'Writes a line of a price list as a version of a price, unless it is there already, and returns the version. p_line: '
'its target, margin, exchange rate, origin, and valid_from or null for now. Raises PT422 bad_catalog.';

create or replace function credits.check_price(p_name text, p_price credits.prices)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_problem constant text := case
        when p_price.module_id is not null
            and not exists (select from credits.modules as m where m.module_id = p_price.module_id)
            then 'no such module'
        when p_price.category_id is not null
            and not exists (select from credits.module_categories as c where c.category_id = p_price.category_id)
            then 'no such category'
        when num_nonnulls(p_price.module_id, p_price.category_id) > 1
            then 'it is of a module or of a category'
        when (p_price.margin >= 0 and p_price.margin < 1000000 and scale(p_price.margin) <= 30) is not true
            then 'margin is a factor from 0 to 10^6'
        when (
            p_price.exchange_rate > 0 and p_price.exchange_rate < 1000000000 and scale(p_price.exchange_rate) <= 30
        ) is not true
            then 'exchange_rate is above 0, up to 10^9'
        when credits.is_sane_time(p_price.valid_from) is not true
            then 'valid_from is a time from the year 2000 to 9999'
    end;
begin
    if v_problem is not null then
        perform credits.refuse_line('price of', p_name, v_problem);
    end if;
end
$$;
comment on function credits.check_price(text, credits.prices) is
'Checks everything in a line about a price except its components. Raises PT422 bad_catalog.';

create or replace function credits.price_overlap(
    p_name text,
    p_line credits.prices,
    p_current credits.prices,
    p_named credits.prices,
    p_same boolean,
    p_now timestamptz
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_from_now constant boolean := credits.note_priced(p_name, p_line.valid_from is null);
begin
    return case
        -- A line from now on.
        when p_line.valid_from is null
            then case when v_from_now and not p_same then 'the other price without valid_from in the same file' end
        -- A line with a time, which belongs to another version already.
        when p_named.price_id is not null and not p_same
            then format(
                'the other version that begins at %s: choose a later time', credits.utc_text(p_line.valid_from)
            )
        when p_line.valid_from > p_now then null
        -- This version was to begin later when it was first written. It has begun, and the line before has just ended
        -- it.
        when (v_from_now and p_current.defined_at = credits.transaction_began()) is true
            then format(
                'the price without valid_from in the same file: this one has begun, at %s',
                credits.utc_text(p_line.valid_from)
            )
        -- A new version in the past, where others have been valid since before this file.
        when p_named.price_id is null and exists (
            select
            from credits.prices as p
            where
                p.module_id is not distinct from p_line.module_id
                and p.category_id is not distinct from p_line.category_id
                and p.valid_from <= p_now and p.defined_at <> credits.transaction_began()
        )
            then format('the price that was valid from %s on: the past stays', credits.utc_text(p_line.valid_from))
    end;
end
$$;
comment on function credits.price_overlap(
    text, credits.prices, credits.prices, credits.prices, boolean, timestamptz
) is
'What a line of a price list overlaps, in words, or null. p_current: the version in force; p_named: the version that '
'the line is about; p_same: that version says the same.';

create or replace function credits.note_priced(p_name text, p_from_now boolean)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_priced constant boolean := exists (
        select
        from credits.priced_targets as t
        where t.target = p_name and t.priced_at = credits.transaction_began()
    );
begin
    if p_from_now then
        insert into credits.priced_targets as t (target, priced_at) values (p_name, credits.transaction_began())
        on conflict (target) do update set priced_at = excluded.priced_at;
    end if;
    return v_priced;
end
$$;
comment on function credits.note_priced(text, boolean) is
'Whether a line before this one, in the same file, has given this target a price from now on. p_from_now: this line '
'does so too, which is recorded.';

create or replace function credits.write_price(p_price credits.prices, p_components jsonb)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_price_id bigint;
begin
    insert into credits.prices (module_id, category_id, valid_from, margin, exchange_rate, origin)
    values (
        p_price.module_id, p_price.category_id, p_price.valid_from, p_price.margin, p_price.exchange_rate, p_price.origin
    )
    returning price_id into v_price_id;
    insert into credits.price_components (
        price_id, dimension, unit_size, price_per_unit, free_quantity, whole_units, whole_quantity, minimum_charge,
        provider_cost, tiered
    )
    select
        v_price_id, c.dimension, c.unit_size, c.price_per_unit, c.free_quantity, c.whole_units, c.whole_quantity,
        c.minimum_charge, c.provider_cost, c.tiers <> '[]'
    from jsonb_to_recordset(p_components) as c (
        dimension text, unit_size numeric, price_per_unit numeric, free_quantity numeric, whole_units boolean,
        whole_quantity boolean, minimum_charge numeric, provider_cost numeric, tiers jsonb
    );
    insert into credits.price_tiers (price_id, dimension, above, price_per_unit)
    select v_price_id, c.dimension, t.above, t.price_per_unit
    from jsonb_to_recordset(p_components) as c (dimension text, tiers jsonb)
    cross join lateral jsonb_to_recordset(c.tiers) as t (above numeric, price_per_unit numeric);
    return v_price_id;
end
$$;
comment on function credits.write_price(credits.prices, jsonb) is
'Writes a version of a price with its components, and returns its price_id.';
