-- A commit that was confirmed must survive a crash, so the settings behind that are checked: those in force, and those
-- stored for a role or a database. No account is on a test clock unless the operator allows it. No login can keep the
-- bank waiting for long, or take all of its connections: a login may change its own settings, and this check sees that.
create or replace view audit.check_settings
with (security_invoker = true)
as
with recipe (login, name, value) as (
    -- The settings that roles.sql gives to the logins. A time-out may also be shorter.
    values
    ('pgcredits_api', 'lock_timeout', '5s'), ('pgcredits_api', 'statement_timeout', '15s'),
    ('pgcredits_api', 'idle_in_transaction_session_timeout', '15s'),
    ('pgcredits_service', 'lock_timeout', '10s'), ('pgcredits_service', 'statement_timeout', '30s'),
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
    ('pgcredits_auditor', 'default_transaction_read_only', 'on')
),

-- Logins of persons and of applications, but not of programs that take a role by SET ROLE: these have their own pool.
others as (
    select l.*
    from credits.logins() as l
    where
        l.inherits and l.administers is not true
        and not exists (
            select
            from recipe as r
            where r.login = l.login
        )
),

-- A time-out that is longer than this does not count as one.
bounds (name, for_applications, most) as (
    values
    ('statement_timeout', true, interval '1 hour'),
    ('idle_in_transaction_session_timeout', true, interval '5 minutes'),
    ('transaction_timeout', false, interval '1 hour')
)

select
    null::uuid as account_id,
    format('%s = on', s.name) as expected,
    format('%s = %s', s.name, s.setting) as found
from pg_catalog.pg_settings as s
where
    (s.name in ('fsync', 'full_page_writes') and s.setting is distinct from 'on')
    or (s.name = 'synchronous_commit' and s.setting in ('off', 'local'))
union all
select
    null as account_id,
    'no role or database with synchronous_commit off' as expected,
    format('%s in database %s: %s', coalesce(r.rolname, 'any role'), coalesce(d.datname, 'any'), c.setting) as found
from pg_catalog.pg_db_role_setting as x
cross join lateral unnest(x.setconfig) as c (setting)
left join pg_catalog.pg_roles as r on x.setrole = r.oid
left join pg_catalog.pg_database as d on x.setdatabase = d.oid
where lower(c.setting) ~ '^synchronous_commit=(off|false|no|0|local)$'
union all
select
    w.account_id,
    'the time: this bank has no test clocks' as expected,
    format('a test clock at %s', credits.utc_text(w.test_clock)) as found
from credits.wallets as w
where w.test_clock is not null and not coalesce((select s.test_clocks from credits.settings as s), false)
union all
select
    null as account_id,
    'no test clocks, as there are events of real money' as expected,
    'test clocks are allowed' as found
from credits.settings as s
where
    s.test_clocks
    and exists (
        select
        from credits.stripe_events as e
        where e.livemode
    )
union all
select
    null as account_id,
    format(
        'login %s: %s = %s%s',
        r.login, r.name, r.value, case when (v.most >= interval '0') is true then ' or less' end
    ) as expected,
    coalesce(l.settings ->> r.name, 'not set') as found
from recipe as r
inner join credits.logins() as l on r.login = l.login
cross join
    lateral (
        select
            credits.timeout(r.value) as most,
            credits.timeout(l.settings ->> r.name) as has
    ) as v
where
    r.name in (select s.name from pg_catalog.pg_settings as s)
    and case
        when v.most is null then l.settings ->> r.name is distinct from r.value
        else coalesce(v.has <= interval '0' or v.has > v.most, true)
    end
union all
select
    null as account_id,
    format('login %s: no setting of %s', l.login, s.name) as expected,
    format('%s = %s', s.name, s.value) as found
from credits.logins() as l
cross join lateral jsonb_each_text(l.settings) as s (name, value)
where
    l.login in (select r.login from recipe as r)
    and not exists (
        select
        from recipe as r
        where r.login = l.login and r.name = s.name
    )
    -- Settings of the planner, of logging, and those that applications make for themselves.
    and s.name !~ (
        '^(application_name|client_min_messages|((maintenance_)?work|hash)_mem.*|temp_(buffers|file_limit)|effective_.*'
        || '|(seq|random)_page_cost|cpu_.*|(max_)?parallel_.*|enable_.*|jit.*|plan_cache_mode|log_.*|track_.*|tcp_.*'
        || '|synchronous_commit|client_connection_check_interval|idle_session_timeout|transaction_timeout'
        || '|(app|auto_explain|pg_stat_statements)\..*)$'
    )
union all
select
    null as account_id,
    format('login %s: a %s of at most %s min', o.login, b.name, extract(epoch from b.most)::integer / 60) as expected,
    coalesce(o.settings ->> b.name, 'not set') as found
from others as o
cross join bounds as b
cross join lateral (select credits.timeout(o.settings ->> b.name) as has) as t
where
    b.name in (select s.name from pg_catalog.pg_settings as s)
    and (b.for_applications or (o.roles && array['spender', 'service_role']) is not true)
    and coalesce(t.has <= interval '0' or t.has > b.most, true)
union all
select
    null as account_id,
    format('login %s: no setting of %s but as SECURITY.md has it', x.login, x.name) as expected,
    format('%s = %s', x.name, x.value) as found
from credits.setting_faults() as x
where (x.login in (select r.login from recipe as r)) is not true
union all
-- A person needs few connections. An application leaves half of the server's connections to others.
select
    null as account_id,
    format('login %s: a connection limit of at most %s', l.login, v.most) as expected,
    case when l.connection_limit < 0 then 'none' else l.connection_limit::text end as found
from credits.logins() as l
cross join
    lateral (
        select
            case
                when (l.roles && array['spender', 'service_role']) is true
                    then current_setting('max_connections')::integer / 2
                else 10
            end as most
    ) as v
where
    (l.connection_limit < 0 or l.connection_limit > v.most)
    and (
        l.login in ('pgcredits_analyst', 'pgcredits_auditor', 'pgcredits_accountant')
        or l.login in (select o.login from others as o)
    )
union all
select
    null as account_id,
    'no prepared transaction, which keeps its locks without a session' as expected,
    format('%s of %s, prepared at %s', x.gid, x.owner, credits.utc_text(x.prepared)) as found
from pg_catalog.pg_prepared_xacts as x
where x.database = current_database()
union all
select
    null as account_id,
    'a row of settings: what the operator has decided' as expected,
    'none: everything in it counts as off' as found
where not exists (select from credits.settings);
comment on view audit.check_settings is
'fsync, full_page_writes and synchronous_commit are on. No account is on a test clock in a bank that does not allow
them, and test clocks are not allowed where there is real money. Every login has time-outs and a connection limit,
those of the bank as in sql/roles.sql, and no stored setting that SECURITY.md does not allow. No transaction is
prepared. The row of the operator''s settings is there.

A row means: a commit may be lost in a crash, a test clock runs beside real money, or a login can hold up the bank.

What to do: set what the row expects: ALTER SYSTEM and a reload for the server, ALTER ROLE for a login. SECURITY.md
has the recipe of a login.';
