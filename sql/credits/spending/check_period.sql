-- The periods that a spend limit counts.
create or replace function credits.check_period(p_period text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_period in ('day', 'month')) is not true then
        perform credits.fail(422, 'bad_period', 'period must be day or month');
    end if;
end
$$;
comment on function credits.check_period(text) is
'Checks that a period is day or month. Raises PT422 bad_period, also for null.';
