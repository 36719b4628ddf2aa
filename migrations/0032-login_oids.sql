-- What an SQL login is given is given to the role itself, not to whoever has its name later.
set local role credits_owner;

alter table credits.sql_logins add column role_oid oid;
comment on column credits.sql_logins.role_oid is
'The role that had the name when the row was written: another role of that name is somebody else. Filled in by a '
'trigger; after a restore credits.trust_login sets it anew.';
alter table credits.analyst_grants add column role_oid oid;
comment on column credits.analyst_grants.role_oid is 'As in credits.sql_logins.';

update credits.sql_logins as l set role_oid = r.oid
from pg_catalog.pg_roles as r
where r.rolname = l.login;
update credits.analyst_grants as g set role_oid = r.oid
from pg_catalog.pg_roles as r
where r.rolname = g.login;
