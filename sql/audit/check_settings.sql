-- A commit that was answered must survive a crash: the settings that make it so, in force and stored for any role or
-- database. And nobody's time is made up unless the operator allows it.
create or replace view audit.check_settings
with (security_invoker = true)
as
select
    null::uuid as account_id,
    format('%s = on', s.name) as expected,
    format('%s = %s', s.name, s.setting) as found
from pg_catalog.pg_settings as s
where
    (s.name in ('fsync', 'full_page_writes') and s.setting <> 'on')
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
where w.test_clock is not null and not (select s.test_clocks from credits.settings as s)
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
    );
comment on view audit.check_settings is
'fsync, full_page_writes and synchronous_commit are on; nobody is on a test clock in a bank without them, and none are '
'allowed where real money is.';
