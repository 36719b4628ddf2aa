-- The roles of the bank. Every `pgcredits migrate` makes those that are missing, and so does `pgcredits roles` before a
-- dump is restored on another server: roles belong to the cluster, so a dump of a database does not contain them.
--
-- What an operator has set differently stays as it is, and audit.check_roles and audit.check_settings report it. They
-- also report roles that somebody else made and that the migrating login may not change.
do $roles$
declare
    v_role record;
    v_setting record;
begin
    -- 1. The roles without a login, and the logins. Passwords are set elsewhere: a login without one cannot sign in.
    for v_role in
        select x.name, x.attributes, x.summary
        from (
            values
            ('credits_owner', 'nologin', ''), ('anon', 'nologin', ''), ('authenticated', 'nologin', ''),
            ('service_role', 'nologin', ''), ('analyst', 'nologin', ''), ('auditor', 'nologin', ''),
            (
                'spender', 'nologin',
                'pgcredits: charges any user (charge, hold, capture, release, quote, open accounts), and grants nothing.'
            ),
            ('support', 'nologin', 'pgcredits: reads the rows of every user, and writes nothing.'),
            ('accountant', 'nologin', 'pgcredits: reads the books in money, without personal data, and writes nothing.'),
            -- The logins of the HTTP API have no rights before they take a role.
            ('pgcredits_api', 'login noinherit', ''), ('pgcredits_service', 'login noinherit', ''),
            -- Several people may share these. A login for each person is better (SECURITY.md).
            ('pgcredits_analyst', 'login connection limit 10', ''),
            ('pgcredits_auditor', 'login connection limit 10', ''),
            ('pgcredits_accountant', 'login connection limit 10', ''),
            -- Applies price lists. It has a password only while `pgcredits catalog apply` opens its session.
            ('pgcredits_catalog', 'login noinherit connection limit 10', '')
        ) as x (name, attributes, summary)
        where not exists (select from pg_catalog.pg_roles as r where r.rolname = x.name)
    loop
        begin
            execute format('create role %I %s', v_role.name, v_role.attributes);
            if v_role.summary <> '' then
                execute format('comment on role %I is %L', v_role.name, v_role.summary);
            end if;
        exception
            when duplicate_object or unique_violation then
                raise notice 'role % was made at the same time', v_role.name;
        end;
    end loop;

    -- 2. Which role may become which.
    for v_role in
        select x.member, x.role
        from (
            values
            ('pgcredits_api', 'anon'), ('pgcredits_api', 'authenticated'), ('pgcredits_service', 'service_role'),
            ('pgcredits_service', 'spender'), ('pgcredits_service', 'support'), ('service_role', 'spender'),
            ('pgcredits_analyst', 'analyst'), ('pgcredits_auditor', 'auditor'),
            ('pgcredits_accountant', 'accountant')
        ) as x (member, role)
        where not exists (
            select
            from pg_catalog.pg_auth_members as m
            join pg_catalog.pg_roles as r on m.roleid = r.oid
            join pg_catalog.pg_roles as g on m.member = g.oid
            where r.rolname = x.role and g.rolname = x.member
        )
    loop
        execute format('grant %I to %I', v_role.role, v_role.member);
    end loop;
    -- A superuser may become any role. Any other migrating login must be a member of the owner. Since PostgreSQL 16, the
    -- maker of a role is a member that may grant the role, but may not yet act as it.
    if not pg_has_role(current_user, 'credits_owner', 'member') then
        execute format('grant credits_owner to %I', current_user);
    end if;
    if current_setting('server_version_num')::integer >= 160000 then
        if not pg_has_role(current_user, 'credits_owner', 'set') then
            execute format('grant credits_owner to %I with inherit true, set true', current_user);
        end if;
    end if;

    -- 3. The bounds of the logins: no session waits for a lock for ever, stays open after its client has died, or takes
    --    all connections.
    for v_setting in
        select x.login, x.name, x.value
        from (
            values
            -- The lock_timeout that money functions set for their waits. With this login they need not set it.
            ('pgcredits_api', 'lock_timeout', '2s'), ('pgcredits_api', 'statement_timeout', '15s'),
            ('pgcredits_api', 'idle_in_transaction_session_timeout', '15s'),
            ('pgcredits_service', 'lock_timeout', '2s'), ('pgcredits_service', 'statement_timeout', '30s'),
            ('pgcredits_service', 'idle_in_transaction_session_timeout', '30s'),
            ('pgcredits_analyst', 'lock_timeout', '5s'), ('pgcredits_analyst', 'statement_timeout', '5min'),
            ('pgcredits_analyst', 'idle_in_transaction_session_timeout', '60s'),
            ('pgcredits_analyst', 'transaction_timeout', '10min'),
            ('pgcredits_auditor', 'lock_timeout', '5s'), ('pgcredits_auditor', 'statement_timeout', '30min'),
            ('pgcredits_auditor', 'idle_in_transaction_session_timeout', '60s'),
            ('pgcredits_auditor', 'transaction_timeout', '60min'),
            ('pgcredits_accountant', 'lock_timeout', '5s'), ('pgcredits_accountant', 'statement_timeout', '5min'),
            ('pgcredits_accountant', 'idle_in_transaction_session_timeout', '60s'),
            ('pgcredits_accountant', 'transaction_timeout', '10min'),
            ('pgcredits_accountant', 'default_transaction_read_only', 'on'),
            ('pgcredits_analyst', 'default_transaction_read_only', 'on'),
            ('pgcredits_auditor', 'default_transaction_read_only', 'on'),
            -- For a check of all the books, which takes milliseconds, the JIT compiler takes a second.
            ('pgcredits_analyst', 'jit', 'off'), ('pgcredits_auditor', 'jit', 'off'),
            ('pgcredits_accountant', 'jit', 'off'),
            -- Figures are sums over many groups. In memory they take half as long as on disk.
            ('pgcredits_analyst', 'work_mem', '64MB'), ('pgcredits_accountant', 'work_mem', '64MB')
        ) as x (login, name, value)
        -- transaction_timeout came with PostgreSQL 17.
        where exists (select from pg_catalog.pg_settings as s where s.name = x.name) and not exists (
            select
            from pg_catalog.pg_db_role_setting as s
            join pg_catalog.pg_roles as r on s.setrole = r.oid
            cross join lateral unnest(s.setconfig) as c (setting)
            where r.rolname = x.login and s.setdatabase = 0 and starts_with(c.setting, x.name || '=')
        )
    loop
        begin
            execute format('alter role %I set %I = %L', v_setting.login, v_setting.name, v_setting.value);
        exception
            when insufficient_privilege then
                raise notice 'role %: % may not set %', v_setting.login, current_user, v_setting.name;
        end;
    end loop;
    for v_role in
        select r.rolname as name
        from pg_catalog.pg_roles as r
        where r.rolname in ('pgcredits_analyst', 'pgcredits_auditor', 'pgcredits_accountant') and r.rolconnlimit = -1
    loop
        begin
            execute format('alter role %I connection limit 10', v_role.name);
        exception
            when insufficient_privilege then
                raise notice 'role %: % may not limit its connections', v_role.name, current_user;
        end;
    end loop;
end
$roles$;
