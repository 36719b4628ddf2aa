-- Who is calling. Anybody with SQL can set request.jwt.claims, so claims count only for the two logins of the HTTP API,
-- and for logins that the operator has named (trusted_logins.sql). Any other session belongs to the person whom
-- credits.sql_logins names for its login, as long as it is the role that was named then: a new role of the same name is
-- nobody. SET ROLE does not change session_user.

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
    return credits.subject_of_login();
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
    return credits.account_of_login();
end
$$;
comment on function credits.me() is
'The account of the caller; null for nobody. Policies compare rows with it.';

-- The two functions above are in every call of a user. What other logins need stands apart, so that they stay short.
create or replace function credits.subject_of_login()
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_claims constant jsonb := credits.claims_of_trusted_login();
begin
    if v_claims is not null then
        return v_claims ->> 'sub';
    end if;
    return (
        select u.user_id
        from credits.sql_logins as l
        cross join lateral credits.user_of(l.account_id) as u
        where l.login = session_user and l.role_oid = credits.session_role()
    );
end
$$;
comment on function credits.subject_of_login() is
'The user id of a session that is not the HTTP API''s: what the claims of a trusted login say, or the person whose '
'login it is; null for nobody.';

create or replace function credits.account_of_login()
returns uuid
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_claims constant jsonb := credits.claims_of_trusted_login();
begin
    if v_claims is not null then
        return (select i.account_id from credits.identities as i where i.subject = v_claims ->> 'sub');
    end if;
    return (
        select l.account_id
        from credits.sql_logins as l
        where l.login = session_user and l.role_oid = credits.session_role()
    );
end
$$;
comment on function credits.account_of_login() is
'The account of a session that is not the HTTP API''s, as credits.subject_of_login says; null for nobody.';

-- The role that acts: that of SET ROLE, if there is one, otherwise the login. Inside a definer function current_user
-- would be the owner. The planner inlines these functions, and their names are bound when they are created.
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
'Whether the caller may do everything for any user, including granting tokens: whether it is a member of service_role.';

create or replace function credits.is_spender()
returns boolean
language sql
stable
return pg_has_role(coalesce(nullif(current_setting('role'), 'none'), session_user), 'spender', 'member');
comment on function credits.is_spender() is
'Whether the caller may charge any user: whether it is a member of spender, as service_role is.';
