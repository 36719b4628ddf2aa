-- An SQL login that may see an account, or count accounts, or say who its user is, is the role that was given this
-- right, not a later role of the same name. A login that is found here has no rights: see credits.trust_login.
create or replace view audit.check_logins
with (security_invoker = true)
as
select
    l.account_id,
    format('login %s is the role with oid %s', l.login, coalesce(l.role_oid::text, 'of its time')) as expected,
    coalesce('the role with oid ' || r.oid, 'no role of that name') as found
from credits.sql_logins as l
left join pg_catalog.pg_roles as r on l.login = r.rolname
where l.role_oid is distinct from r.oid or r.oid is null
union all
select
    null as account_id,
    format(
        'analyst %s (of %s) is the role with oid %s', g.login, g.segment, coalesce(g.role_oid::text, 'of its time')
    ) as expected,
    coalesce('the role with oid ' || r.oid, 'no role of that name') as found
from credits.analyst_grants as g
left join pg_catalog.pg_roles as r on g.login = r.rolname
where g.role_oid is distinct from r.oid or r.oid is null
union all
select
    null as account_id,
    format(
        'login %s, whose claims count, is the role with oid %s', t.login, coalesce(t.role_oid::text, 'of its time')
    ) as expected,
    coalesce('the role with oid ' || r.oid, 'no role of that name') as found
from credits.trusted_logins as t
left join pg_catalog.pg_roles as r on t.login = r.rolname
where t.role_oid is distinct from r.oid or r.oid is null
union all
select
    null as account_id,
    format('login %s, whose claims count, is a program', t.login) as expected,
    'a superuser, an analyst, an auditor, an accountant, or a person' as found
from credits.trusted_logins as t
inner join pg_catalog.pg_roles as r on t.login = r.rolname
where
    pg_has_role(r.oid, 'analyst', 'member') or pg_has_role(r.oid, 'auditor', 'member')
    or pg_has_role(r.oid, 'accountant', 'member')
    or exists (
        select from credits.sql_logins as l
        where l.login = t.login
    );
comment on view audit.check_logins is
'Every SQL login that has an account or an analyst''s reach, or whose claims count, is still the role that was given
it. A login whose claims count is a program and nobody''s own.

A row means: the role behind a login was dropped or made anew, for instance by a restore on another server. It has
no rights until somebody confirms it.

What to do: if the login is still that person''s or program''s, call credits.trust_login; otherwise delete its row.
docs/restoring.md has an example.';
