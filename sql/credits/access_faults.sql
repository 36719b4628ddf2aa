-- What audit.check_access looks at. Everything is asked of PostgreSQL's catalogue, by names: a restored database may
-- lack the roles, and a name cast to regrole would refuse the question.

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
    where n.nspname in ('credits', 'api', 'analytics', 'audit') and r.rolname is distinct from 'credits_owner';
end
$$;
comment on function credits.ownership_faults() is
'Schemas, tables, views, sequences, functions and types of the bank that credits_owner does not own.';

create or replace function credits.row_security_faults()
returns table (expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with tables as (
        select c.*
        from pg_catalog.pg_class as c
        join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
        where n.nspname in ('credits', 'api', 'analytics', 'audit') and c.relkind in ('r', 'p')
    ),

    policies as (
        select
            t.oid as table_id, p.polname, p.polpermissive, p.polcmd,
            pg_get_expr(p.polqual, p.polrelid) as reads, pg_get_expr(p.polwithcheck, p.polrelid) as writes,
            array(
                select coalesce(r.rolname::text, 'public')
                from unnest(p.polroles) as x (role_id)
                left join pg_catalog.pg_roles as r on x.role_id = r.oid
                order by coalesce(r.rolname::text, 'public') collate "C"
            ) as roles
        from pg_catalog.pg_policy as p
        join tables as t on p.polrelid = t.oid
    ),

    -- Who may read which tables, whole or in part: each needs a policy there, and no policy is for anybody else.
    readers as (
        select distinct t.oid as table_id, r.rolname::text as role
        from tables as t
        cross join lateral (
            select a.grantee, a.privilege_type from aclexplode(t.relacl) as a
            union all
            select x.grantee, x.privilege_type
            from pg_catalog.pg_attribute as c
            cross join lateral aclexplode(c.attacl) as x
            where c.attrelid = t.oid
        ) as a
        join pg_catalog.pg_roles as r on a.grantee = r.oid
        where a.privilege_type = 'SELECT' and a.grantee is distinct from t.relowner
        union
        -- An auditor reads everything but passwords, so this holds where no grant is left.
        select t.oid, 'auditor'
        from tables as t
        where not t.relispartition and t.oid <> 'credits.credentials'::regclass
    )

    select format('row security of %s is on, and forced on its owner', t.oid::regclass),
        case when t.relrowsecurity then 'not forced' else 'off' end
    from tables as t
    where not (t.relrowsecurity and t.relforcerowsecurity)
    union all
    select format('policy owner on %s', t.oid::regclass), 'none, or another one'
    from tables as t
    where not exists (
        select from policies as p
        where
            p.table_id = t.oid and p.polname = 'owner' and p.roles = array['credits_owner'] and p.polcmd = '*'
            and p.reads = 'true' and p.writes = 'true' and p.polpermissive
    )
    union all
    select format('a policy on %s for %s, who may read it', x.table_id::regclass, x.role), 'none'
    from readers as x
    where not exists (select from policies as p where p.table_id = x.table_id and x.role = any (p.roles))
    union all
    select format('no policy on %s but those of access.sql', p.table_id::regclass),
        format('%I for %s: %s', p.polname, array_to_string(p.roles, ', '), coalesce(p.reads, p.writes))
    from policies as p
    where p.polname <> 'owner' and (credits.is_policy_of_ours(
        p.polname, p.roles, p.polpermissive and p.polcmd = 'r' and p.writes is null, p.reads
    ) is not true or exists (
        select from unnest(p.roles) as y (role)
        where not exists (select from readers as x where x.table_id = p.table_id and x.role = y.role)
    ));
end
$$;
comment on function credits.row_security_faults() is
'Tables and partitions of the bank whose row security is not forced, that lack a policy for somebody who may read '
'them, or that have one which access.sql does not make.';

create or replace function credits.is_policy_of_ours(p_name text, p_roles text[], p_only_reads boolean, p_reads text)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (p_only_reads and case p_name
        when 'own_rows' then
            p_roles = array['authenticated'] and p_reads ~ '^\((account_id|referrer_id) = \( SELECT credits\.me\(\) AS me\)\)$'
        when 'service_reads' then p_roles = array['service_role'] and p_reads = 'true'
        when 'spender_reads' then p_roles = array['spender'] and p_reads = 'true'
        when 'support_reads' then p_roles = array['support'] and p_reads = 'true'
        when 'auditor_reads' then p_roles = array['auditor'] and p_reads = 'true'
        when 'analyst_reads' then p_roles = array['analyst'] and p_reads = 'true'
        when 'granted_accounts' then
            p_roles = array['analyst']
            and p_reads ~ (
                '^\(\( SELECT \(''\*''::text = ANY \(credits\.analyst_segments\(\)\)\)\) OR '
                || '\((account_id|linked_to|guest_id) IN \( SELECT \w+\.\w+\s+FROM '
                || '(credits\.analyst_accounts\(\) a\(account_id\)|credits\.guests g)\)\)\)$'
            )
        when 'for_sale' then
            p_roles = array['anon', 'authenticated', 'service_role', 'spender', 'support'] and p_reads = 'true'
        when 'whose_price' then p_roles = array['authenticated', 'service_role', 'support'] and p_reads = 'true'
        else false
    end) is true;
end
$$;
comment on function credits.is_policy_of_ours(text, text[], boolean, text) is
'Is this a policy as access.sql makes those of that name? Roles in alphabetical order.';

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
        where n.nspname in ('credits', 'api', 'analytics', 'audit') and a.grantee is distinct from t.owner_id
    )

    select
        format('%s %s is for nobody but the roles that access.sql names', g.kind, g.thing),
        format('%s may %s', g.who, g.may)
    from grants as g
    where
        g.who not in (
            'anon', 'authenticated', 'spender', 'support', 'service_role', 'analyst', 'auditor', 'pgcredits_catalog'
        )
        or g.kind = 'partition'
        or starts_with(g.thing, 'credits.credentials')
    union all
    select format('%s %s is to be read or called, and nobody hands that on', g.kind, g.thing),
        format('%s may %s%s', g.who, g.may, case when g.is_grantable then ', and grant it' else '' end)
    from grants as g
    where
        g.who in (
            'anon', 'authenticated', 'spender', 'support', 'service_role', 'analyst', 'auditor', 'pgcredits_catalog'
        )
        and (g.is_grantable or (g.kind = 'relation' and g.may <> 'SELECT') or (g.kind = 'schema' and g.may = 'CREATE'))
    union all
    -- Without the schema no name in it can be used, whatever else is granted.
    select 'schemas credits, audit and analytics are for those whom access.sql names',
        format('%s may use %s', g.who, g.thing)
    from grants as g
    where g.kind = 'schema' and g.may = 'USAGE' and (
        (g.thing = 'credits' and g.who not in ('auditor', 'pgcredits_catalog'))
        or (g.thing = 'audit' and g.who not in ('auditor', 'support'))
        or (g.thing = 'analytics' and g.who not in ('auditor', 'analyst'))
    );
end
$$;
comment on function credits.grant_faults() is
'Rights in the schemas of the bank of anybody whom access.sql does not name, and rights that it never gives.';

create or replace function credits.call_faults()
returns table (expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    -- Whoever calls a function or reads a view must not decide what the names in it mean, nor borrow its owner's eyes.
    select format('function %s with search_path = pg_catalog, pg_temp', p.oid::regprocedure),
        coalesce(array_to_string(p.proconfig, '; '), 'no setting')
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
    where
        n.nspname in ('credits', 'api', 'analytics', 'audit') and p.prosqlbody is null
        and 'search_path=pg_catalog, pg_temp' = any (p.proconfig) is not true
    union all
    select format('view %s with the rights of its reader', c.oid::regclass),
        coalesce(array_to_string(c.reloptions, ', '), 'with those of its owner')
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
    where
        n.nspname in ('credits', 'api', 'analytics', 'audit') and c.relkind in ('v', 'm')
        and ('security_invoker=true' = any (c.reloptions) or 'security_invoker=on' = any (c.reloptions)) is not true;
end
$$;
comment on function credits.call_faults() is
'Functions of the bank without a pinned search_path, and views that do not run with the rights of their reader.';

create or replace function credits.database_faults()
returns table (expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- A database with neighbours was never hardened. The rights on a database are in no dump of it.
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
                r.rolname in ('anon', 'authenticated', 'spender', 'support', 'service_role', 'analyst', 'auditor')
                or starts_with(r.rolname, 'pgcredits_')
            )
        );
end
$$;
comment on function credits.database_faults() is
'What PUBLIC may do with the database, where it is the bank''s own, and what the bank''s roles may beyond connecting.';

create or replace function credits.power_faults()
returns table (expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        case r.rolname
            when 'spender' then 'spenders charge, and call nothing else'
            else format('%s calls no function of api', r.rolname)
        end,
        format('%s may call %s', r.rolname, p.oid::regprocedure)
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
    cross join lateral aclexplode(p.proacl) as a
    join pg_catalog.pg_roles as r on a.grantee = r.oid
    where
        n.nspname = 'api' and r.rolname in ('anon', 'spender', 'support', 'analyst', 'auditor')
        and not (r.rolname = 'spender' and p.proname in (
            'consume_tokens', 'consume_call', 'report_refusal', 'report_refused_capture', 'consume_tokens_batch',
            'quote_tokens', 'hold_tokens', 'capture_hold', 'release_hold',
            'extend_hold', 'open_account', 'report_failure'
        ));
end
$$;
comment on function credits.power_faults() is
'Functions of api that a role may call which should not: whoever charges, reads or counts must not be able to grant.';
