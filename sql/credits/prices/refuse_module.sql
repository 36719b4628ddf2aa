-- A module that cannot be charged, with the listed module that was probably meant.
create or replace function credits.refuse_module(p_module_id text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_meant constant text := (
        select m.module_id
        from credits.modules as m
        where m.likeness = credits.likeness(p_module_id) and m.module_id is distinct from p_module_id and m.active
        order by m.module_id
        limit 1
    );
begin
    if v_meant is not null then
        perform credits.fail(
            404, 'unknown_module', format('no such module: did you mean %s?', v_meant),
            json_build_object('did_you_mean', v_meant)
        );
    end if;
    perform credits.fail(404, 'unknown_module', 'no such module');
end
$$;
comment on function credits.refuse_module(text) is
'Refuses a module that has no price. did_you_mean is the listed module that its id looks like. Raises PT404 '
'unknown_module.';
