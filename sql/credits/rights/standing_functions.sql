-- Functions, as a part of credits.standing_objects().
create or replace function credits.standing_functions()
returns table (kind text, name text, definition text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- PostgreSQL spells times, intervals and names in a definition as the session wants to see them.
set timezone = 'UTC'
set datestyle = 'ISO, MDY'
set intervalstyle = 'postgres'
set quote_all_identifiers = off
as $$
begin
    return query
    select
        'function', format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
        case
            when p.prokind = 'a' then 'aggregate'
            when p.prosqlbody is null then pg_get_functiondef(p.oid)
            else regexp_replace(pg_get_functiondef(p.oid), '[()\s]+', ' ', 'g')
        end
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
    where
        n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit')
        and not exists (
            select from pg_catalog.pg_depend as d
            where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
        );
end
$$;
comment on function credits.standing_functions() is 'The functions among credits.standing_objects(), with their text.';
