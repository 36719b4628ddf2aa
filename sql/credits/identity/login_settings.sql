-- Who may log in to the bank, and within which bounds. audit.check_settings looks at this.
create or replace function credits.logins()
returns table (
    login text, roles text[], inherits boolean, administers boolean, connection_limit integer, settings jsonb
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with ours (role) as (
        values ('anon'), ('authenticated'), ('spender'), ('support'), ('service_role'), ('analyst'), ('auditor'), ('accountant')
    ),

    settings as (
        -- The most specific setting counts: for the login in this database, for the login, for the database, for all.
        select distinct on (r.oid, split_part(c.setting, '=', 1))
            r.oid as login_id,
            split_part(c.setting, '=', 1) as name,
            substr(c.setting, strpos(c.setting, '=') + 1) as value
        from pg_catalog.pg_roles as r
        inner join pg_catalog.pg_db_role_setting as s on s.setrole in (r.oid, 0)
        cross join lateral unnest(s.setconfig) as c (setting)
        where
            r.rolcanlogin
            and s.setdatabase in (0, (select d.oid from pg_catalog.pg_database as d where d.datname = current_database()))
        order by r.oid, split_part(c.setting, '=', 1), s.setrole = 0, s.setdatabase = 0
    )

    select
        r.rolname::text as login,
        m.roles,
        r.rolinherit as inherits,
        -- Administrators are the roles that a migration made members of the owner.
        coalesce(pg_has_role(r.oid, o.oid, 'member'), false) as administers,
        r.rolconnlimit as connection_limit,
        coalesce((select jsonb_object_agg(s.name, s.value) from settings as s where s.login_id = r.oid), '{}') as settings
    from pg_catalog.pg_roles as r
    left join pg_catalog.pg_roles as o on o.rolname = 'credits_owner'
    cross join
        lateral (
            select array_agg(x.rolname::text order by x.rolname) as roles
            from pg_catalog.pg_roles as x
            inner join ours on x.rolname = ours.role
            where pg_has_role(r.oid, x.oid, 'member')
        ) as m
    where r.rolcanlogin and not r.rolsuper and m.roles is not null;
end
$$;
comment on function credits.logins() is
'The logins that are members of the bank''s roles, except superusers. inherits: they have the rights of their roles, '
'and do not take them by SET ROLE as a program does. administers: they may become the owner, so that no bound applies. '
'connection_limit: -1 means none. settings: {"setting": "value"}, what their sessions in this database begin with. A '
'login may change these for itself.';

create or replace function credits.setting_faults()
returns table (login text, name text, value text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select l.login, s.name, s.value
    from credits.logins() as l
    cross join lateral jsonb_each_text(l.settings) as s (name, value)
    cross join
        lateral (
            select
                (l.roles && array['spender', 'service_role']) is true as is_application,
                credits.timeout(s.value) > interval '0' as bounds
        ) as v
    where
        l.administers is not true
        and case
            when s.name in ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
                then false  -- these have bounds of their own
            when s.name in ('lock_timeout', 'idle_session_timeout') then v.bounds is not true
            when s.name = 'default_transaction_read_only'
                then not v.is_application and lower(s.value) not in ('on', 'true', 'yes', '1')
            -- How an application spells names and times. Nothing in the bank depends on them.
            when v.is_application and lower(s.name) ~ '^(search_path|timezone|datestyle|intervalstyle|lc_.*)$' then false
            -- Settings that PostgREST stores with its login.
            when (not l.inherits and s.name ~ '^(pgrst\..*|session_preload_libraries)$') is true then false
            -- What a session costs, and how it calls itself.
            else s.name !~ (
                '^(application_name|client_min_messages|client_encoding|synchronous_commit|((maintenance_)?work|hash)_mem.*'
                || '|temp_(buffers|file_limit)|effective_.*|(seq|random)_page_cost|cpu_.*|(max_)?parallel_.*|enable_.*'
                || '|jit.*|plan_cache_mode|tcp_.*|client_connection_check_interval|app\..*)$'
            )
        end;
end
$$;
comment on function credits.setting_faults() is
'Settings that members of the bank''s roles, except administrators, should not begin their sessions with: time-outs '
'that do not bound anything, and every setting that is neither in the recipe of SECURITY.md nor about what a session '
'costs. An application may also choose names and time zones for itself.';
