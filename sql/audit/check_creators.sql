-- A role that may create in the database, or in schema public, can put a function where somebody's session looks for
-- one. A role that may write into the schema of the migrations' bookkeeping can have the next migration run its code.
-- In a database of its own (pgcredits migrate --harden-database) only the owner may create there. In a database with
-- neighbours neither PUBLIC nor a role of the bank, nor a member of one, may. An owner needs no grant, so none of these
-- roles owns any of these places.
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
        format('schema %I', n.nspname) as place,
        n.nspowner as owner,
        coalesce(n.nspacl, acldefault('n', n.nspowner)) as acl
    from pg_catalog.pg_namespace as n
    where n.nspname in ('public', 'yoyo')
    union all
    -- The owner of a table there needs no right on the schema.
    select
        format('relation yoyo.%I', c.relname) as place,
        c.relowner as owner,
        null as acl
    from pg_catalog.pg_class as c
    inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
    where n.nspname = 'yoyo' and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
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
        or a.grantee in (select x.target_id from credits.member_reach() as x)
    )
union all
select
    null as account_id,
    format('%s belongs to nobody who is a member of the bank''s roles', p.place) as expected,
    format(
        '%s is its owner%s', x.role, case when (x.target_id <> x.role_id) is true then ', by ' || x.target end
    ) as found
from places as p
inner join credits.member_reach() as x on p.owner = x.target_id;
comment on view audit.check_creators is
'PUBLIC, the roles of the bank and their members may not create in the database, in schema public or where migrations
are recorded, not as owners either. In a database of its own only the owner may.

A row means: somebody may put an object where a session or the next migration would run it.

What to do: revoke the right that the row names, or change the owner. In a database of its own, `pgcredits migrate
--harden-database` revokes it.';
