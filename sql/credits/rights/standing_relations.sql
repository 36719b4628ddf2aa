-- Tables, views and sequences, as a part of credits.standing_objects().
create or replace function credits.standing_relations()
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
        case when c.relkind in ('v', 'm') then 'view' when c.relkind = 'S' then 'sequence' else 'table' end,
        format('%I.%I', n.nspname, c.relname),
        concat_ws(
            e'\n', c.relkind, c.relrowsecurity, c.relforcerowsecurity, array_to_string(c.reloptions, ','),
            case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end,
            (
                select
                    string_agg(
                        concat_ws(
                            ' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                            a.attgenerated, pg_get_expr(d.adbin, d.adrelid)
                        ),
                        ',' order by a.attnum
                    )
                from pg_catalog.pg_attribute as a
                left join pg_catalog.pg_attrdef as d on a.attrelid = d.adrelid and a.attnum = d.adnum
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and c.relkind <> 'S'
            ),
            (
                select string_agg(x.conname || ' ' || pg_get_constraintdef(x.oid), ',' order by x.conname)
                from pg_catalog.pg_constraint as x
                where x.conrelid = c.oid and x.contype <> 'n'
            ),
            (
                select string_agg(pg_get_indexdef(i.indexrelid), ',' order by i.indexrelid::regclass::text)
                from pg_catalog.pg_index as i
                where i.indrelid = c.oid
            )
        )
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
    where
        n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit')
        and c.relkind in ('r', 'p', 'f', 'v', 'm', 'S') and not c.relispartition
        and not exists (
            select from pg_catalog.pg_depend as d
            -- PostgreSQL records that a partitioned table depends on the columns of its own key.
            where
                d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.refobjid <> c.oid
                and d.deptype in ('e', 'i')
        );
end
$$;
comment on function credits.standing_relations() is
'The tables, views and sequences among credits.standing_objects(), with columns, constraints and indexes.';
