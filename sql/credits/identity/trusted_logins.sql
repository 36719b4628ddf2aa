-- A program of the operator that says whose call it is, as the HTTP API does: a PostgREST that is there already, or
-- Supabase's authenticator. Anyone who has the password of such a login can be any user.

create or replace trigger trusted_logins_note_the_role
before insert or update of login on credits.trusted_logins
for each row execute function credits.note_role();

create or replace function credits.trust_claims(p_login name, p_roles text[] default '{authenticated}')
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_role text;
begin
    if not exists (select from pg_catalog.pg_roles as r where r.rolname = p_login and r.rolcanlogin) then
        perform credits.fail(422, 'bad_login', 'there is no such login');
    elsif (
        p_login ~ '^(pgcredits_|credits_)' or pg_has_role(p_login, 'analyst', 'member')
        or pg_has_role(p_login, 'auditor', 'member') or pg_has_role(p_login, 'accountant', 'member')
    ) is not false then
        -- A superuser is a member of every role.
        perform credits.fail(
            422, 'bad_login', 'a login of the bank, an analyst, auditor or accountant, or a superuser is not trusted with claims'
        );
    elsif exists (select from credits.sql_logins as l where l.login = p_login) then
        perform credits.fail(422, 'bad_login', 'this login is one person, whom credits.sql_logins names');
    elsif coalesce(cardinality(p_roles), 0) = 0 then
        perform credits.fail(422, 'bad_login', 'name the roles that this login becomes for users');
    end if;
    foreach v_role in array p_roles loop
        if v_role is null or to_regrole(quote_ident(v_role)) is null or not pg_has_role(v_role, 'authenticated', 'member')
            or pg_has_role(v_role, 'spender', 'member') or pg_has_role(v_role, 'support', 'member') then
            perform credits.fail(
                422, 'bad_login', 'claims are for users: a role must be authenticated, or a member of it and of no backend''s role'
            );
        elsif pg_has_role(p_login, v_role, 'member') is not true then
            perform credits.fail(422, 'bad_login', 'this login cannot become that role: grant it the role first');
        end if;
    end loop;
    insert into credits.trusted_logins as t (login, roles, trusted_by, trusted_at)
    values (p_login, p_roles, credits.actor(), credits.clock())
    on conflict (login) do update
    set
        login = excluded.login, roles = excluded.roles, trusted_by = excluded.trusted_by,
        trusted_at = excluded.trusted_at;
end
$$;
comment on function credits.trust_claims(name, text[]) is
'For the operator. In sessions of this login the claims say who the user is, while it acts as one of p_roles: '
'authenticated, or roles of your own that are members of it. Anyone who can open such a session can be any user: '
'docs/identity.md. Raises PT422 bad_login.';

create or replace function credits.distrust_claims(p_login name)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from credits.trusted_logins as t where t.login = p_login;
    if not found then
        perform credits.fail(422, 'bad_login', 'the claims of this login are not trusted');
    end if;
end
$$;
comment on function credits.distrust_claims(name) is
'For the operator. Claims in sessions of this login no longer count, from the next statement on. '
'Raises PT422 bad_login.';

create or replace function credits.is_trusted_login()
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return exists (
        select from credits.trusted_logins as t where t.login = session_user and t.role_oid = credits.session_role()
    );
end
$$;
comment on function credits.is_trusted_login() is
'Whether this session is of a program that the operator has trusted with claims, whatever role it acts in.';

create or replace function credits.claims_of_trusted_login()
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (
        select
        from credits.trusted_logins as t
        where
            t.login = session_user and t.role_oid = credits.session_role()
            and current_setting('role') = any(t.roles)
    ) then
        return nullif(current_setting('request.jwt.claims', true), '')::jsonb;
    end if;
    return null;
end
$$;
comment on function credits.claims_of_trusted_login() is
'The claims of this session, if the operator has trusted its login with them for the acting role. Otherwise null.';
