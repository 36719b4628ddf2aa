-- The first line of a price list. Like every line, it can be repeated: it changes what differs and leaves the rest.
create or replace function credits.define_catalog(
    p_catalog_id text, p_title text, p_unit text, p_currency text default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.check_line(p_catalog_id, p_title);
    perform credits.check_line(p_catalog_id, p_unit);
    perform credits.check_currency(p_currency);
    insert into credits.catalogs as c (catalog_id, title, unit, currency)
    values (p_catalog_id, p_title, p_unit, p_currency)
    on conflict (catalog_id) do update
    set
        title = excluded.title, unit = excluded.unit, currency = excluded.currency,
        applied_at = credits.clock();
exception
    when not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('catalog', p_catalog_id, sqlerrm);
end
$$;
comment on function credits.define_catalog(text, text, text, text) is
'Names a price list, the unit of its balances, and the currency that its packs are sold in. Raises PT422 '
'bad_catalog.';
