-- audit.check_access: row security, and the policies of access.sql.

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
        where n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit') and c.relkind in ('r', 'p')
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

    -- Which roles may read which tables, in whole or in part. Each needs a policy there, and no policy is for another
    -- role.
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
        -- An auditor reads everything but passwords, and needs a policy even where the grant is missing.
        select t.oid, 'auditor'
        from tables as t
        where not t.relispartition and t.oid not in ('credits.credentials'::regclass, 'credits.webhook_secrets'::regclass)
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
'Tables and partitions of the bank whose row security is not forced, that lack a policy for a role that may read them, '
'or that have a policy which access.sql does not make.';

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
        when 'accountant_reads' then p_roles = array['accountant'] and p_reads = 'true'
        when 'analyst_reads' then p_roles = array['analyst'] and p_reads = 'true'
        when 'granted_accounts' then
            p_roles = array['analyst']
            and p_reads ~ (
                '^\(\( SELECT \(''\*''::text = ANY \(credits\.analyst_segments\(\)\)\)\) OR '
                || '\((account_id|linked_to|guest_id) IN \( SELECT \w+\.\w+\s+FROM '
                || '(credits\.analyst_accounts\(\) a\(account_id\)|credits\.guests g)\)\)\)$'
            )
        when 'named_accounts' then
            p_roles = array['analyst']
            and p_reads ~ (
                '^\(\( SELECT \(''\*''::text = ANY \(credits\.named_segments\(\)\)\)\) OR '
                || '\(account_id IN \( SELECT a\.account_id\s+FROM credits\.named_accounts\(\) a\(account_id\)\)\)\)$'
            )
        when 'for_sale' then
            p_roles = array['anon', 'authenticated', 'service_role', 'spender', 'support'] and p_reads = 'true'
        when 'whose_price' then p_roles = array['authenticated', 'service_role', 'support'] and p_reads = 'true'
        else false
    end) is true;
end
$$;
comment on function credits.is_policy_of_ours(text, text[], boolean, text) is
'Whether a policy is as access.sql makes policies of this name. p_roles is in alphabetical order.';
