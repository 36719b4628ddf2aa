-- audit.check_access: nobody has a right that access.sql does not give.

create or replace function credits.grant_faults()
returns table (expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with things as (
        select
            n.oid as schema_id, 'schema' as kind, n.nspname::text as thing, n.nspowner as owner_id,
            coalesce(n.nspacl, acldefault('n', n.nspowner)) as acl
        from pg_catalog.pg_namespace as n
        union all
        select c.relnamespace, case when c.relispartition then 'partition' else 'relation' end, c.oid::regclass::text,
            c.relowner, coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))
        from pg_catalog.pg_class as c
        where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
        union all
        select c.relnamespace, 'relation', format('%s.%I', c.oid::regclass, a.attname), c.relowner, a.attacl
        from pg_catalog.pg_attribute as a
        join pg_catalog.pg_class as c on a.attrelid = c.oid
        where a.attacl is not null
        union all
        select p.pronamespace, 'function', p.oid::regprocedure::text, p.proowner,
            coalesce(p.proacl, acldefault('f', p.proowner))
        from pg_catalog.pg_proc as p
        union all
        select t.typnamespace, 'type', t.oid::regtype::text, t.typowner, coalesce(t.typacl, acldefault('T', t.typowner))
        from pg_catalog.pg_type as t
        left join pg_catalog.pg_class as c on t.typrelid = c.oid
        where t.typcategory <> 'A' and coalesce(c.relkind, 'c') = 'c'
    ),

    grants as (
        select t.kind, t.thing, a.privilege_type as may, a.is_grantable, coalesce(r.rolname::text, 'PUBLIC') as who
        from things as t
        join pg_catalog.pg_namespace as n on t.schema_id = n.oid
        cross join lateral aclexplode(t.acl) as a
        left join pg_catalog.pg_roles as r on a.grantee = r.oid
        where n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit') and a.grantee is distinct from t.owner_id
    )

    select
        format('%s %s is for nobody but the roles that access.sql names', g.kind, g.thing),
        format('%s may %s', g.who, g.may)
    from grants as g
    where
        g.who not in (
            'anon', 'authenticated', 'spender', 'support', 'service_role', 'analyst', 'auditor', 'accountant',
            'pgcredits_catalog'
        )
        or g.kind = 'partition'
        or starts_with(g.thing, 'credits.credentials') or starts_with(g.thing, 'credits.webhook_secrets')
        or g.thing in (
            'credits.api_key_secrets', 'credits.api_key_secrets.secret_hash', 'credits.refresh_tokens',
            'credits.refresh_tokens.token_hash'
        )
    union all
    select format('%s %s is to be read or called, and nobody hands that on', g.kind, g.thing),
        format('%s may %s%s', g.who, g.may, case when g.is_grantable then ', and grant it' else '' end)
    from grants as g
    where
        g.who in (
            'anon', 'authenticated', 'spender', 'support', 'service_role', 'analyst', 'auditor', 'accountant',
            'pgcredits_catalog'
        )
        and (g.is_grantable or (g.kind = 'relation' and g.may <> 'SELECT') or (g.kind = 'schema' and g.may = 'CREATE'))
    union all
    -- Without a right on the schema no name in it can be used, whatever else is granted.
    select 'schemas credits, audit, analytics and finance are for those whom access.sql names',
        format('%s may use %s', g.who, g.thing)
    from grants as g
    where g.kind = 'schema' and g.may = 'USAGE' and (
        (g.thing = 'credits' and g.who not in ('auditor', 'pgcredits_catalog'))
        or (g.thing = 'audit' and g.who not in ('auditor', 'support'))
        or (g.thing = 'analytics' and g.who not in ('auditor', 'analyst'))
        or (g.thing = 'finance' and g.who not in ('auditor', 'accountant'))
    );
end
$$;
comment on function credits.grant_faults() is
'Rights in the schemas of the bank that belong to roles which access.sql does not name, and rights that it never '
'gives.';

create or replace function credits.database_faults()
returns table (expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- A database with neighbours was never hardened. A dump of a database does not contain the rights on it.
    v_hardened constant boolean not null := exists (select from credits.releases as r where r.hardened);
begin
    return query
    select
        format('no right on database %I but to connect, for those whom access.sql names', d.datname),
        format('%s may %s', coalesce(r.rolname, 'PUBLIC'), a.privilege_type)
    from pg_catalog.pg_database as d
    cross join lateral aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) as a
    left join pg_catalog.pg_roles as r on a.grantee = r.oid
    where
        d.datname = current_database() and a.grantee is distinct from d.datdba
        and (
            (v_hardened and a.grantee = 0)
            or (a.privilege_type <> 'CONNECT' or a.is_grantable) and (
                r.rolname in ('anon', 'authenticated', 'spender', 'support', 'service_role', 'analyst', 'auditor', 'accountant')
                or starts_with(r.rolname, 'pgcredits_')
            )
        );
end
$$;
comment on function credits.database_faults() is
'Rights of PUBLIC on a database of the bank''s own, and rights of the bank''s roles other than to connect.';
