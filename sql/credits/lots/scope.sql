-- The scope of a lot: the module or category that its tokens are bound to.
create or replace function credits.check_scope(p_scope text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_scope is null then
        return;
    elsif p_scope like 'module:%' then
        if exists (select from credits.modules as m where m.module_id = substr(p_scope, 8)) then
            return;
        end if;
    elsif p_scope like 'category:%' then
        if exists (select from credits.module_categories as c where c.category_id = substr(p_scope, 10)) then
            return;
        end if;
    end if;
    perform credits.fail(
        422, 'bad_scope', 'scope must be the module:ID or category:ID of something in the price list',
        coalesce((
            select json_build_object('did_you_mean', 'module:' || m.module_id)
            from credits.modules as m
            where p_scope ilike 'module:%' and m.likeness = credits.likeness(substr(p_scope, 8))
            order by m.module_id
            limit 1
        ), '{}')
    );
end
$$;
comment on function credits.check_scope(text) is
'Checks that p_scope is null, or names a listed module or category. Raises PT422 bad_scope.';
