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
'Defines something that usage is measured in, so that prices can name it. Raises PT422 bad_catalog.';
