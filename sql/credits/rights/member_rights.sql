-- What members of the bank's roles may do beyond these roles. audit.check_roles and audit.check_creators look at this.
-- A member may act as every role that it can take, in any number of steps.

create or replace function credits.role_steps()
returns table (role_id oid, target_id oid)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with recursive steps (role_id, target_id) as (
        select r.oid, r.oid
        from pg_catalog.pg_roles as r
        union
        select s.role_id, m.roleid
        from steps as s
        inner join pg_catalog.pg_auth_members as m on s.target_id = m.member
    )

    select s.*
    from steps as s;
end
$$;
comment on function credits.role_steps() is
'For each role: every role that it can take in any number of steps, itself included.';

create or replace function credits.member_reach()
returns table (role_id oid, role text, target_id oid, target text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with named as (
        select s.role_id, r.rolname::text as role, s.target_id, t.rolname::text as target
        from credits.role_steps() as s
        inner join pg_catalog.pg_roles as r on s.role_id = r.oid
        inner join pg_catalog.pg_roles as t on s.target_id = t.oid
    )

    select n.*
    from named as n
    where
        n.role_id in (
            select x.role_id
            from named as x
            where
                x.target in (
                    'anon', 'authenticated', 'spender', 'support', 'service_role', 'analyst', 'auditor', 'accountant'
                )
                or starts_with(x.target, 'pgcredits_')
        )
        -- Administrators are the roles that a migration made members of the owner, and the first superuser of the
        -- server.
        and n.role_id <> 10
        and n.role_id not in (
            select x.role_id
            from named as x
            where x.target = 'credits_owner'
        );
end
$$;
comment on function credits.member_reach() is
'For each role of the bank, and each member of one in any number of steps: every role that it can take, itself '
'included. Administrators are left out: the roles that may become the owner, and the first superuser of the server.';

create or replace function credits.member_faults()
returns table (expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with reach as (
        -- The roles that roles.sql makes are compared with it as a whole. Those that a neighbour uses as well may be members
        -- of the neighbour's roles.
        select x.*
        from credits.member_reach() as x
        where
            x.role not in ('spender', 'support', 'analyst', 'auditor', 'accountant')
            and not starts_with(x.role, 'pgcredits_')
    ),

    powers as (
        select r.oid as target_id, p.power
        from pg_catalog.pg_roles as r
        cross join
            lateral (
                values
                ('superuser', r.rolsuper), ('createrole', r.rolcreaterole), ('createdb', r.rolcreatedb),
                ('replication', r.rolreplication), ('bypassrls', r.rolbypassrls),
                ('the rights of a role of the server', starts_with(r.rolname, 'pg_')),
                ('the rights of a login of the bank', starts_with(r.rolname, 'pgcredits_'))
            ) as p (power, has)
        where
            p.has
            and r.rolname not in (
                'anon', 'authenticated', 'spender', 'support', 'service_role', 'analyst', 'auditor', 'accountant'
            )
    )

    select
        format('role %s, a member of the bank''s roles, has no more than these', x.role),
        case when (x.target_id = x.role_id) is true then p.power else format('%s, by %s', p.power, x.target) end
    from reach as x
    inner join powers as p on x.target_id = p.target_id
    where
        -- `pgcredits maintain --end-idle` needs these two beside service_role.
        (
            x.target in ('pg_signal_backend', 'pg_read_all_stats') and x.role <> 'service_role'
            and x.role in (select y.role from reach as y where y.target = 'service_role')
        ) is not true
        -- The login of Supabase's Storage, a part of the platform, may create roles.
        and (x.role = 'supabase_storage_admin' and p.power = 'createrole') is not true;
end
$$;
comment on function credits.member_faults() is
'Attributes, predefined roles and logins of the bank that a member of its roles has or can take.';

create or replace function credits.member_grants()
returns table (expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with grants as (
        select format('parameter %s', p.parname) as thing, a.privilege_type as may, a.grantee
        from pg_catalog.pg_parameter_acl as p
        cross join lateral aclexplode(p.paracl) as a
        union all
        select format('function %s', p.oid::regprocedure), a.privilege_type, a.grantee
        from pg_catalog.pg_proc as p
        cross join lateral aclexplode(p.proacl) as a
        where p.pronamespace = 'pg_catalog'::regnamespace
        union all
        select format('relation %s', c.oid::regclass), a.privilege_type, a.grantee
        from pg_catalog.pg_class as c
        cross join lateral aclexplode(c.relacl) as a
        where c.relnamespace = 'pg_catalog'::regnamespace
        union all
        -- They may not write into the bookkeeping of migrations either, or keep a migration waiting.
        select format('relation %s', c.oid::regclass), a.privilege_type, a.grantee
        from pg_catalog.pg_class as c
        inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
        cross join lateral aclexplode(c.relacl) as a
        where n.nspname = 'yoyo' and a.grantee <> c.relowner
    )

    select distinct
        format('%s is for nobody who is a member of the bank''s roles', g.thing),
        format('%s may %s', coalesce(x.role, 'PUBLIC'), g.may)
    from grants as g
    left join credits.member_reach() as x on g.grantee = x.target_id and starts_with(x.target, 'pg_') is not true
    where x.role is not null or (g.grantee = 0 and starts_with(g.thing, 'relation yoyo.'));
end
$$;
comment on function credits.member_grants() is
'Rights that a member of the bank''s roles was given on settings of the server, on PostgreSQL''s own functions and '
'tables, and on the bookkeeping of migrations.';
