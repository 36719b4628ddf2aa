-- Which role an SQL login was when it was given something. Names are used again: a new login with the name of somebody
-- who has left must not get their account, nor the accounts that they could count.

create or replace function credits.note_role()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    new.role_oid := to_regrole(quote_ident(new.login));
    return new;
end
$$;
comment on function credits.note_role() is
'Trigger: keeps the oid of the role beside its name. Null while there is no role of that name.';

create or replace trigger sql_logins_note_the_role
before insert or update of login on credits.sql_logins
for each row execute function credits.note_role();

create or replace trigger analyst_grants_note_the_role
before insert or update of login on credits.analyst_grants
for each row execute function credits.note_role();

create or replace function credits.session_role()
returns oid
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
    return to_regrole(quote_ident(session_user));
end
$$;
comment on function credits.session_role() is 'The role that signed in. SET ROLE does not change it.';

create or replace function credits.trust_login(p_login name)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.sql_logins as l set login = l.login where l.login = p_login;
    update credits.analyst_grants as g set login = g.login where g.login = p_login;
    update credits.trusted_logins as t set login = t.login where t.login = p_login;
end
$$;
comment on function credits.trust_login(name) is
'For the operator. Says that the role which has this name now is the one that was given an account, or accounts to '
'count, or whose claims count. Needed after a restore into another cluster, where every role has a new oid, and when '
'somebody gets a new role on purpose.';
