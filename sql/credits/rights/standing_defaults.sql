-- Default privileges, as a part of credits.standing_objects().
create or replace function credits.standing_defaults()
returns table (kind text, name text, definition text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with defaults as (
        select r.rolname, n.nspname, a.defaclobjtype::text as type, a.defaclrole as role_id, a.defaclacl as acl
        from pg_catalog.pg_default_acl as a
        join pg_catalog.pg_roles as r on a.defaclrole = r.oid
        left join pg_catalog.pg_namespace as n on a.defaclnamespace = n.oid
        where n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit') or r.rolname = 'credits_owner'
        union all
        -- By default PUBLIC may call what the owner makes. access.sql takes that away.
        select r.rolname, null, x.type, r.oid, acldefault(x.type::"char", r.oid)
        from pg_catalog.pg_roles as r
        cross join (values ('f'), ('T')) as x (type)
        where r.rolname = 'credits_owner' and not exists (
            select from pg_catalog.pg_default_acl as a
            where a.defaclrole = r.oid and a.defaclnamespace = 0 and a.defaclobjtype = x.type::"char"
        )
    )

    select
        'default privilege',
        format(
            '%s of %s%s: %s to %s', case d.type
                when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types'
                when 'n' then 'schemas' else d.type
            end,
            d.rolname, ' in ' || d.nspname, a.privilege_type, coalesce(g.rolname, 'public')
        ),
        a.is_grantable::text
    from defaults as d
    cross join lateral aclexplode(d.acl) as a
    left join pg_catalog.pg_roles as g on a.grantee = g.oid
    where a.grantee <> d.role_id;
end
$$;
comment on function credits.standing_defaults() is
'Default privileges for objects that will be made in the bank''s schemas, or by its owner, given to anybody but their '
'maker.';
