-- audit.check_access: everything in the bank belongs to credits_owner. PostgreSQL's catalogs are asked by role names: a
-- restored database may lack the roles, and a cast to regrole would then raise an error.
create or replace function credits.ownership_faults()
returns table (expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with things as (
        select 'schema ' || quote_ident(n.nspname) as thing, n.oid as schema_id, n.nspowner as owner_id
        from pg_catalog.pg_namespace as n
        union all
        select
            case when c.relkind in ('v', 'm') then 'view ' when c.relkind = 'S' then 'sequence ' else 'table ' end
            || c.oid::regclass, c.relnamespace, c.relowner
        from pg_catalog.pg_class as c
        where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
        union all
        select 'function ' || p.oid::regprocedure, p.pronamespace, p.proowner from pg_catalog.pg_proc as p
        union all
        select 'type ' || t.oid::regtype, t.typnamespace, t.typowner
        from pg_catalog.pg_type as t
        left join pg_catalog.pg_class as c on t.typrelid = c.oid
        where t.typcategory <> 'A' and coalesce(c.relkind, 'c') = 'c'
    )

    select format('%s belongs to credits_owner', t.thing), coalesce(format('to %s', r.rolname), 'to a role that is gone')
    from things as t
    join pg_catalog.pg_namespace as n on t.schema_id = n.oid
    left join pg_catalog.pg_roles as r on t.owner_id = r.oid
    where n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit') and r.rolname is distinct from 'credits_owner';
end
$$;
comment on function credits.ownership_faults() is
'Schemas, tables, views, sequences, functions and types of the bank that do not belong to credits_owner.';
