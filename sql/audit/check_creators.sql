-- Whoever may create in the database, or in schema public, can put a function where somebody's session looks for one.
-- In a database of its own (pgcredits migrate --harden-database) nobody may but its owner; in one that has neighbours,
-- neither PUBLIC nor a role of the bank.
create or replace view audit.check_creators
with (security_invoker = true)
as
with places as (
    select
        format('database %I', d.datname) as place,
        d.datdba as owner,
        coalesce(d.datacl, acldefault('d', d.datdba)) as acl
    from pg_catalog.pg_database as d
    where d.datname = current_database()
    union all
    select
        'schema public' as place,
        n.nspowner as owner,
        coalesce(n.nspacl, acldefault('n', n.nspowner)) as acl
    from pg_catalog.pg_namespace as n
    where n.nspname = 'public'
)

select
    null::uuid as account_id,
    format('nobody may create in %s but its owner', p.place) as expected,
    format('%s may', coalesce(r.rolname, 'PUBLIC')) as found
from places as p
cross join lateral aclexplode(p.acl) as a
left join pg_catalog.pg_roles as r on a.grantee = r.oid
where
    a.privilege_type = 'CREATE' and a.grantee is distinct from p.owner
    and (r.rolsuper is not true)
    and (
        a.grantee = 0
        or coalesce((select x.hardened from credits.releases as x), false)
        or r.rolname in ('anon', 'authenticated', 'service_role', 'analyst', 'auditor', 'spender', 'support')
        or r.rolname like 'pgcredits\_%'
    );
comment on view audit.check_creators is
'Nobody may create in the database or in schema public: PUBLIC and the bank''s roles never, in a database of its own '
'only the owner.';
