-- The logins of analysts. `pgcredits analyst` makes and drops the roles, because that takes an administrator's rights.
-- These functions decide which login may be an analyst, and what it may count.

create or replace function credits.analyst_login_problem(p_login text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_role record;
begin
    if p_login is null or p_login = '' or octet_length(p_login) > 63 or p_login ~ '[[:cntrl:]]' then
        return 'a login has 1 to 63 bytes and no control characters';
    elsif p_login ~* '^(pgcredits_|credits_|pg_)' then
        return 'names that begin with pgcredits_, credits_ or pg_ are those of the bank and of PostgreSQL';
    elsif exists (select from credits.sql_logins as l where l.login = p_login) then
        return 'this login is a user''s, whom credits.sql_logins names';
    elsif exists (select from credits.trusted_logins as t where t.login = p_login) then
        return 'this login is a program''s, whose claims are trusted';
    end if;
    select r.oid, r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolbypassrls as has_power
    into v_role
    from pg_catalog.pg_roles as r
    where r.rolname = p_login;
    if not found then
        -- Asked of new logins alone, so that an older one can still be removed.
        return case
            when not credits.is_name(p_login, 63) then 'a login has no characters that nobody can see'
            when lower(p_login) in ('all', 'current_role', 'current_user', 'none', 'public', 'session_user', 'user')
                then 'PostgreSQL gives this name a meaning of its own: choose another name'
        end;
    elsif not exists (
        select from credits.analyst_grants as g where g.login = p_login and g.role_oid is not distinct from v_role.oid
    ) then
        return 'somebody else made a role of this name: choose another name';
    elsif v_role.has_power is not false or exists (
        select
        from pg_catalog.pg_auth_members as m
        join pg_catalog.pg_roles as x on m.roleid = x.oid
        where m.member = v_role.oid and x.rolname <> 'analyst'
    ) then
        return 'this login has other rights than an analyst''s: take them away first';
    end if;
    return null;
end
$$;
comment on function credits.analyst_login_problem(text) is
'Why a login cannot be an analyst, or null when it can: there is no role of this name, or its role is an analyst of '
'this bank and nothing else.';

create or replace function credits.claim_analyst(p_login text)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_problem text;
begin
    -- Two administrators who add or remove analysts go one after the other.
    lock table credits.analyst_grants in share row exclusive mode;
    v_problem := credits.analyst_login_problem(p_login);
    if v_problem is not null then
        perform credits.fail(422, 'bad_login', v_problem);
    end if;
    return exists (select from pg_catalog.pg_roles as r where r.rolname = p_login);
end
$$;
comment on function credits.claim_analyst(text) is
'Says whether the role of an analyst''s login is there already, and keeps other administrators from changing analysts '
'until the end of the transaction. Raises PT422 bad_login.';

create or replace function credits.grant_analyst(p_login text, p_segments text[], p_personal_data boolean default false)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_role oid;
begin
    lock table credits.analyst_grants in share row exclusive mode;
    if (
        cardinality(p_segments) > 0
        and not exists (select from unnest(p_segments) as s (segment) where coalesce(s.segment, '') = '')
        and (cardinality(p_segments) = 1 or '*' <> all (p_segments))
    ) is not true then
        perform credits.fail(422, 'bad_segment', 'name segments, or * alone for every account');
    end if;
    select r.oid into v_role from pg_catalog.pg_roles as r where r.rolname = p_login and r.rolcanlogin;
    if v_role is null or not exists (
        select
        from pg_catalog.pg_auth_members as m
        where m.member = v_role and m.roleid = 'analyst'::regrole
    ) then
        perform credits.fail(422, 'bad_login', 'there is no such login that is a member of analyst');
    end if;
    delete from credits.analyst_grants as g where g.login = p_login;
    insert into credits.analyst_grants (login, segment, personal_data, granted_by, granted_at)
    -- The person, and not the role that the person acts in, which is always the owner.
    select distinct p_login, s.segment, p_personal_data is true, session_user::text, credits.clock()
    from unnest(p_segments) as s (segment);
    return (
        select count(*)
        from credits.accounts as a
        where '*' = any (p_segments) or a.segment = any (p_segments)
    );
end
$$;
comment on function credits.grant_analyst(text, text[], boolean) is
'For the operator. Lets an analyst''s login count the accounts of these segments, or of * for all, and nothing that it '
'could count before. With p_personal_data it also reads which users these are. Returns how many accounts that is now. '
'Raises PT422 bad_login, bad_segment.';

create or replace function credits.revoke_analyst(p_login text)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from credits.analyst_grants as g where g.login = p_login;
    return found;
end
$$;
comment on function credits.revoke_analyst(text) is
'For the operator. The login counts nothing any more, from the next statement of its sessions on. Returns whether it '
'could count anything.';

create or replace function credits.analysts()
returns table (
    login text, segments text[], personal_data boolean, standing text, sessions bigint, granted_by text,
    granted_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        g.login::text,
        array_agg(g.segment order by g.segment),
        bool_or(g.personal_data),
        case
            when r.oid is null then 'no such login'
            when bool_or(g.role_oid is distinct from r.oid) is true then 'another role: see credits.trust_login'
            when r.rolcanlogin is not true then 'may not sign in'
            else 'active'
        end,
        (
            select count(*)
            from pg_catalog.pg_stat_activity as s
            where s.usename = g.login and s.datname = current_database()
        ),
        min(g.granted_by),
        max(g.granted_at)
    from credits.analyst_grants as g
    left join pg_catalog.pg_roles as r on g.login = r.rolname
    group by g.login, r.oid, r.rolcanlogin
    order by g.login;
end
$$;
comment on function credits.analysts() is
'The analysts of this bank: what each may count, whether it may sign in, and how many sessions it has here.';
