-- Who is calling? Anybody with SQL can set request.jwt.claims, so claims count only on our two logins;
-- any other session is the person whom credits.sql_logins names, as long as the role is the one that was named: a new
-- one of the same name is nobody. session_user cannot be changed by SET ROLE.

create or replace function credits.subject()
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if session_user in ('pgcredits_api', 'pgcredits_service') then
        return nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub';
    end if;
    return (
        select u.user_id
        from credits.sql_logins as l
        cross join lateral credits.user_of(l.account_id) as u
        where l.login = session_user and l.role_oid = credits.session_role()
    );
end
$$;
comment on function credits.subject() is 'The user id of the caller; null for nobody.';

create or replace function credits.me()
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if session_user in ('pgcredits_api', 'pgcredits_service') then
        return (select i.account_id from credits.identities as i where i.subject = credits.subject());
    end if;
    return (
        select l.account_id
        from credits.sql_logins as l
        where l.login = session_user and l.role_oid = credits.session_role()
    );
end
$$;
comment on function credits.me() is
'The account of the caller; null for nobody. What the policies compare rows with.';

-- The role that is acting: SET ROLE's if there is one, else the login itself. current_user would be the owner in here.
-- These two are expressions that the planner takes into the statements that use them; names are bound at creation.
create or replace function credits.actor()
returns text
language sql
stable
return coalesce(nullif(current_setting('role'), 'none'), session_user);
comment on function credits.actor() is 'The acting role: authenticated, service_role, or an SQL login.';

create or replace function credits.is_service()
returns boolean
language sql
stable
return pg_has_role(coalesce(nullif(current_setting('role'), 'none'), session_user), 'service_role', 'member');
comment on function credits.is_service() is
'May the caller do everything for any user, also grant tokens? Members of service_role may.';

create or replace function credits.is_spender()
returns boolean
language sql
stable
return pg_has_role(coalesce(nullif(current_setting('role'), 'none'), session_user), 'spender', 'member');
comment on function credits.is_spender() is
'May the caller charge any user? Members of spender may, and service_role is one of them.';
