-- The list of current prices: what each module costs now, so that a spend needs one look-up. It follows every new
-- version of a price in the same transaction, and is used only until a later version may begin.
create or replace function credits.call_cost(p_price_id bigint)
returns numeric
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select max(x.cost)
        from (
            select
                c.dimension = 'calls' and not c.tiered as calls,
                credits.ceil_tokens(
                    credits.charge(
                        1, c.unit_size, c.price_per_unit, c.free_quantity, c.whole_units, c.minimum_charge
                    ) * p.margin,
                    c.unit_size * p.exchange_rate
                ) as cost
            from credits.price_components as c
            join credits.prices as p on c.price_id = p.price_id
            where c.price_id = p_price_id
        ) as x
        having bool_and(x.calls) and max(x.cost) <= 1000000000000
    );
end
$$;
comment on function credits.call_cost(bigint) is
'What one call costs under a price that counts calls and nothing else. Null for other prices, and above 10^12.';

create or replace function credits.linear_price(
    p_price_id bigint,
    out dimension text,
    out numerator numeric,
    out denominator numeric,
    out whole_quantity boolean
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    select min(c.dimension), min(c.price_per_unit * p.margin), min(c.unit_size * p.exchange_rate), bool_or(c.whole_quantity)
    into dimension, numerator, denominator, whole_quantity
    from credits.price_components as c
    join credits.prices as p on c.price_id = p.price_id
    where c.price_id = p_price_id
    having
        count(*) = 1
        and bool_and(not c.tiered and c.free_quantity = 0 and not c.whole_units and c.minimum_charge = 0);
    whole_quantity := coalesce(whole_quantity, false);
    -- If quantities are whole, and one unit costs an amount at ledger scale, nothing is rounded. The denominator is 1.
    if (whole_quantity and mod(numerator * 1000000, denominator) = 0) is true then
        numerator := trim_scale(credits.ceil_tokens(numerator, denominator));
        denominator := 1;
    elsif denominator is not distinct from 1 then
        -- A finer price must not have the denominator 1, which says that nothing is rounded.
        numerator := numerator * 2;
        denominator := 2;
    end if;
end
$$;
comment on function credits.linear_price(bigint) is
'For a price of one dimension that is so much for each unit, and nothing else: the dimension, and the fraction that a '
'quantity is multiplied by. Nulls for other prices. whole_quantity: quantities are whole numbers.';

create or replace function credits.price_source(p_price credits.prices)
returns text
language sql
immutable
return case
    when p_price.module_id is not null then 'module'
    when p_price.category_id is not null then 'category'
    else 'default'
end;
comment on function credits.price_source(credits.prices) is
'Whose price it is: module, category, or default, which is for every other module.';

create or replace function credits.list_prices(p_module_ids text[] default null)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz;
begin
    -- Of two writers at once, the second sees what the first has written. Readers do not wait.
    lock table credits.price_list in share row exclusive mode;
    v_now := credits.clock();
    delete from credits.price_list as l
    where
        (p_module_ids is null or l.module_id = any(p_module_ids))
        and credits.find_price(l.module_id, v_now) is null;
    insert into credits.price_list as l (
        module_id, price_id, price_source, call_cost, dimension, numerator, denominator, whole_quantity, least_cost,
        valid_from, valid_until
    )
    select
        m.module_id,
        f.price_id,
        credits.price_source(f),
        credits.call_cost(f.price_id),
        u.dimension,
        u.numerator,
        u.denominator,
        u.whole_quantity,
        credits.least_cost(f.price_id),
        f.valid_from,
        coalesce((
            select min(p.valid_from)
            from credits.prices as p
            where
                p.valid_from > v_now
                and (p.module_id = m.module_id or p.category_id = m.category_id or num_nonnulls(p.module_id, p.category_id) = 0)
        ), 'infinity')
    from credits.modules as m
    join credits.prices as f on f.price_id = credits.find_price(m.module_id, v_now)
    cross join lateral credits.linear_price(f.price_id) as u
    where p_module_ids is null or m.module_id = any(p_module_ids)
    on conflict (module_id) do update
    set
        price_id = excluded.price_id, price_source = excluded.price_source, call_cost = excluded.call_cost,
        dimension = excluded.dimension, numerator = excluded.numerator, denominator = excluded.denominator,
        whole_quantity = excluded.whole_quantity, least_cost = excluded.least_cost, valid_from = excluded.valid_from,
        valid_until = excluded.valid_until;
end
$$;
comment on function credits.list_prices(text[]) is
'Brings credits.price_list up to date with the modules and their prices: with these modules, or with all when null.';

-- A price of a module is in the list of that module alone. Other prices may be in that of any.
create or replace function credits.follow_prices()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_module_ids text[];
begin
    select array_agg(distinct p.module_id) into v_module_ids
    from added as a
    join credits.prices as p on a.price_id = p.price_id;
    if v_module_ids is not null then
        perform credits.list_prices(case when array_position(v_module_ids, null) is null then v_module_ids end);
    end if;
    return null;
end
$$;
comment on function credits.follow_prices() is 'Trigger: a new version of a price changes the price list.';

create or replace trigger prices_are_listed
after insert on credits.prices
referencing new table as added
for each statement execute function credits.follow_prices();

create or replace trigger price_components_are_listed
after insert on credits.price_components
referencing new table as added
for each statement execute function credits.follow_prices();

-- The least that a use costs may come from a tier.
create or replace trigger price_tiers_are_listed
after insert on credits.price_tiers
referencing new table as added
for each statement execute function credits.follow_prices();
