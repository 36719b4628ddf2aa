-- The next month's entries have a partition. Without it they go into the default partition, where they stay. And each
-- partition refuses TRUNCATE by itself: PostgreSQL does not give it that trigger of the whole ledger.
create or replace view audit.check_partitions
with (security_invoker = true)
as
select
    null::uuid as account_id,
    format('a partition of the ledger for %s', to_char(m.month, 'YYYY-MM')) as expected,
    'none: does anything call api.maintain?' as found
from (
    select
        date_trunc('month', statement_timestamp() at time zone interval '0')
        + make_interval(months => n.number) as month
    from generate_series(0, 1) as n (number)
) as m
where
    -- A test clock may have brought entries of a later month into the default partition, which then keeps that month.
    (select s.test_clocks from credits.settings as s) is not true
    and not exists (
        select
        from pg_catalog.pg_inherits as i
        inner join pg_catalog.pg_class as c on i.inhrelid = c.oid
        where
            i.inhparent = 'credits.entries'::regclass and not i.inhdetachpending
            and c.relname = to_char(m.month, '"entries_"YYYY_MM')
    )
    -- A month that has begun in the default partition stays there, and nobody can do anything about it any more.
    and not exists (
        select
        from credits.entries as e
        where
            e.posted_at >= m.month at time zone interval '0'
            and e.posted_at < (m.month + interval '1 month') at time zone interval '0'
    )
union all
select
    null::uuid as account_id,
    format('a trigger that refuses TRUNCATE on %s', c.oid::regclass) as expected,
    'none' as found
from pg_catalog.pg_inherits as i
inner join pg_catalog.pg_class as c on i.inhrelid = c.oid
where
    i.inhparent = 'credits.entries'::regclass
    and not exists (
        select
        from pg_catalog.pg_trigger as t
        where t.tgrelid = c.oid and t.tgname = 'entries_are_never_truncated' and t.tgenabled = 'A'
    );
comment on view audit.check_partitions is
'The ledger has a partition for this month and for the next one, unless the month has begun in the default partition.
Each partition refuses TRUNCATE.

A row means: the maintenance does not run, or cannot lock the ledger. Entries of a month without a partition go into
the default one, where they stay. Or somebody took away what protects a partition.

What to do: run `pgcredits maintain`. If the row stays, follow docs/runbooks/missing-partitions.md.';
