-- Owners and rights, as a part of credits.standing_objects().
create or replace function credits.standing_privileges()
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
    with things as (
        select
            p.pronamespace as schema, format('%I(%s)', p.proname, oidvectortypes(p.proargtypes)) as thing,
            p.proowner as owner, coalesce(p.proacl, acldefault('f', p.proowner)) as acl
        from pg_catalog.pg_proc as p
        union all
        -- A dump does not distinguish default rights from rights that were granted and equal the default.
        select
            c.relnamespace, c.relname, c.relowner,
            coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))
        from pg_catalog.pg_class as c
        where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S') and not c.relispartition
        union all
        select c.relnamespace, format('%I.%I', c.relname, a.attname), null, a.attacl
        from pg_catalog.pg_attribute as a
        join pg_catalog.pg_class as c on a.attrelid = c.oid
        where a.attacl is not null
        union all
        select n.oid, n.nspname, n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner))
        from pg_catalog.pg_namespace as n
    )

    select 'privileges', n.nspname::text, string_agg(x.line, ',' order by x.line collate "C")
    from pg_catalog.pg_namespace as n
    cross join lateral (
        select concat_ws(' ', t.thing, o.rolname, a.privilege_type, a.is_grantable, coalesce(g.rolname, 'public'))
        from things as t
        left join pg_catalog.pg_roles as o on t.owner = o.oid
        left join lateral aclexplode(t.acl) as a on true
        left join pg_catalog.pg_roles as g on a.grantee = g.oid
        where
            t.schema = n.oid
            -- An operator may give rights to logins of their own: these are not compared.
            and (
                coalesce(a.grantee, 0) = 0 or a.grantee = t.owner
                or g.rolname in (
                    'anon', 'authenticated', 'service_role', 'spender', 'support', 'analyst', 'auditor', 'accountant'
                )
                or g.rolname like 'pgcredits\_%'
            )
    ) as x (line)
    where n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit')
    group by n.nspname;
end
$$;
comment on function credits.standing_privileges() is
'For each of the bank''s schemas: who owns what is in it, and what PUBLIC and the bank''s roles may do with it.';
