-- The roles of the bank are those of roles.sql: none is missing, none has more power, and none can become another role.
-- A dump of a database does not contain its roles, so a restored database may lack them.
create or replace view audit.check_roles
with (security_invoker = true)
as
with recipe (role, login, inherits, member_of) as (
    -- inherits is null where it does not matter.
    values
    ('credits_owner', false, null::boolean, '{}'::text[]),
    ('anon', false, null, '{}'),
    ('authenticated', false, null, '{}'),
    ('spender', false, null, '{}'),
    ('support', false, null, '{}'),
    ('service_role', false, null, '{spender}'),
    ('analyst', false, null, '{}'),
    ('auditor', false, null, '{}'),
    ('accountant', false, null, '{}'),
    ('pgcredits_api', true, false, '{anon,authenticated}'),
    ('pgcredits_service', true, false, '{service_role,spender,support}'),
    ('pgcredits_analyst', true, true, '{analyst}'),
    ('pgcredits_auditor', true, true, '{auditor}'),
    ('pgcredits_accountant', true, true, '{accountant}'),
    ('pgcredits_catalog', true, false, '{}')
),

standing as (
    select
        e.*,
        r.oid,
        array_remove(array[
            case when (r.rolcanlogin <> e.login) is true then case when e.login then 'nologin' else 'login' end end,
            case
                when (r.rolinherit <> e.inherits) is true then case when e.inherits then 'noinherit' else 'inherit' end
            end,
            case when r.rolsuper is true then 'superuser' end,
            case when r.rolcreaterole is true then 'createrole' end,
            case when r.rolcreatedb is true then 'createdb' end,
            case when r.rolreplication is true then 'replication' end,
            -- Supabase gives bypassrls to service_role, whose policies show it every row anyway.
            case when (r.rolbypassrls and e.role <> 'service_role') is true then 'bypassrls' end
        ], null) as faults,
        array(
            select g.rolname::text
            from pg_catalog.pg_auth_members as m
            inner join pg_catalog.pg_roles as g on m.roleid = g.oid
            where m.member = r.oid and e.role not in ('anon', 'authenticated', 'service_role')
            union
            -- PostgREST and Supabase use these three as well, and make them members of roles of their own. Such roles
            -- must not lead to a role of the bank; credits.member_faults() looks at what else they may do.
            select g.rolname::text
            from credits.role_steps() as t
            inner join pg_catalog.pg_roles as g on t.target_id = g.oid
            where
                t.role_id = r.oid and t.target_id is distinct from r.oid
                and e.role in ('anon', 'authenticated', 'service_role')
                and g.rolname in (select x.role from recipe as x)
            order by 1
        ) as is_member_of
    from recipe as e
    left join pg_catalog.pg_roles as r on e.role = r.rolname
)

select
    null::uuid as account_id,
    format('role %s', s.role) as expected,
    'no such role' as found
from standing as s
where s.oid is null
union all
select
    null as account_id,
    format('role %s as `pgcredits roles` makes it', s.role) as expected,
    array_to_string(s.faults, ', ') as found
from standing as s
where cardinality(s.faults) > 0
union all
select
    null as account_id,
    format('role %s is a member of %s', s.role, coalesce(nullif(array_to_string(s.member_of, ', '), ''), 'no other'))
        as expected,
    coalesce(nullif(array_to_string(s.is_member_of, ', '), ''), 'of none') as found
from standing as s
where s.oid is not null and not (s.is_member_of @> s.member_of and s.is_member_of <@ s.member_of)
union all
-- Only an administrator may become the owner, or grant a role of the bank: a role that may create roles, or the owner
-- of the database.
select
    null as account_id,
    case
        when m.admin_option then format('nobody but administrators may grant %s', s.role)
        else 'nobody but administrators may become credits_owner'
    end as expected,
    format('%s may', r.rolname) as found
from pg_catalog.pg_auth_members as m
inner join standing as s on m.roleid = s.oid
inner join pg_catalog.pg_roles as r on m.member = r.oid
where
    (m.admin_option or s.role = 'credits_owner')
    and not (r.rolsuper or r.rolcreaterole)
    and r.oid is distinct from (
        select d.datdba
        from pg_catalog.pg_database as d
        where d.datname = current_database()
    )
union all
select
    null as account_id,
    f.expected,
    f.found
from credits.member_faults() as f
union all
select
    null as account_id,
    f.expected,
    f.found
from credits.member_grants() as f;
comment on view audit.check_roles is
'The roles of the bank exist, have no attribute that they should not have, and are members of the roles that they
should be. Only administrators may grant them or become the owner. A member of them, in any number of steps, has no
power over the server and is no other login of the bank.

A row means: a role of the bank is missing, may do more than it should, or has a member that is stronger than the
role.

What to do: run `pgcredits roles`, which makes what is missing, and revoke what the row names. SECURITY.md has the
recipe of a login.';
