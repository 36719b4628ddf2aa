-- Types and domains, as a part of credits.standing_objects().
create or replace function credits.standing_types()
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
        'type', format('%I.%I', n.nspname, t.typname),
        concat_ws(
            e'\n', t.typtype, t.typnotnull, t.typdefault, nullif(format_type(t.typbasetype, t.typtypmod), '-'),
            (
                select string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ',' order by a.attnum)
                from pg_catalog.pg_attribute as a
                where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
            ),
            (
                select string_agg(x.conname || ' ' || pg_get_constraintdef(x.oid), ',' order by x.conname)
                from pg_catalog.pg_constraint as x
                where x.contypid = t.oid and x.contype <> 'n'
            ),
            (
                select string_agg(e.enumlabel, ',' order by e.enumsortorder)
                from pg_catalog.pg_enum as e
                where e.enumtypid = t.oid
            )
        )
    from pg_catalog.pg_type as t
    join pg_catalog.pg_namespace as n on t.typnamespace = n.oid
    left join pg_catalog.pg_class as c on t.typrelid = c.oid
    where
        n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit')
        and t.typtype in ('b', 'c', 'd', 'e', 'r') and coalesce(c.relkind, 'c') = 'c'
        -- An array type follows the type of its elements.
        and not exists (select from pg_catalog.pg_type as x where x.typarray = t.oid)
        and not exists (
            select from pg_catalog.pg_depend as d
            where d.classid = 'pg_catalog.pg_type'::regclass and d.objid = t.oid and d.deptype = 'e'
        );
end
$$;
comment on function credits.standing_types() is
'The types and domains among credits.standing_objects(), except those of tables.';
