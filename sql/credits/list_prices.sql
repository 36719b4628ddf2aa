-- The price list: what each module costs now, so that a spend looks it up once. It follows every new version of a
-- price, in the same transaction, and is believed only until a later version may begin.
create or replace function credits.list_prices()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz;
begin
    -- Of two writers at once, the second sees what the first has written. Who reads does not wait.
    lock table credits.price_list in share row exclusive mode;
    v_now := credits.clock();
    delete from credits.price_list as l where credits.find_price(l.module_id, v_now) is null;
    insert into credits.price_list as l (module_id, price_id, valid_until)
    select
        m.module_id,
        credits.find_price(m.module_id, v_now),
        coalesce((
            select min(p.valid_from)
            from credits.prices as p
            where
                p.valid_from > v_now
                and (p.module_id = m.module_id or p.category_id = m.category_id or num_nonnulls(p.module_id, p.category_id) = 0)
        ), 'infinity')
    from credits.modules as m
    where credits.find_price(m.module_id, v_now) is not null
    on conflict (module_id) do update set price_id = excluded.price_id, valid_until = excluded.valid_until;
end
$$;
comment on function credits.list_prices() is 'Brings credits.price_list up to date with the modules and their prices.';

create or replace function credits.follow_prices()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.list_prices();
    return null;
end
$$;
comment on function credits.follow_prices() is 'Trigger: a new version of a price changes the price list.';

create or replace trigger prices_are_listed
after insert on credits.prices
for each statement execute function credits.follow_prices();
