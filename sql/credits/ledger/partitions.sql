-- Monthly partitions of the ledger, made ahead of time. An entry that no month takes goes into a default partition.
-- This is the only function with dynamic SQL, because DDL offers no other way. Its only input is a number, and only the
-- owner may call it.
create or replace function credits.ensure_partitions(p_months integer)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_first constant timestamptz := credits.period_start('month', credits.clock());
    v_month timestamptz;
    v_made integer := 0;
    v_partition text;
begin
    for v_partition, v_month in
        select 'entries_default', null
        union all
        select to_char(m.month at time zone interval '0', '"entries_"YYYY_MM'), m.month
        from (
            select credits.later(v_first, make_interval(months => i)) as month
            from generate_series(0, p_months - 1) as i
        ) as m
    loop
        continue when to_regclass('credits.' || v_partition) is not null;
        if v_month is null then
            execute format('create table credits.%I partition of credits.entries default', v_partition);
        elsif exists (
            select
            from credits.entries_default as e
            where
                e.posted_at >= v_month and e.posted_at < credits.later(v_month, interval '1 month')
        ) then
            -- The default partition may already have entries of this month: a test clock was in it, or the bank was not
            -- migrated for a long time. These entries stay where they are, and so does the rest of this month.
            continue;
        else
            execute format(
                'create table credits.%I partition of credits.entries for values from (%L) to (%L)',
                v_partition,
                credits.utc_text(v_month),
                credits.utc_text(credits.later(v_month, interval '1 month'))
            );
        end if;
        -- Row triggers and the key come from the parent table. These three do not.
        execute format('alter table credits.%I enable row level security, force row level security', v_partition);
        execute format(
            'create policy owner on credits.%I to credits_owner using (true) with check (true)', v_partition
        );
        execute format(
            'create trigger entries_are_never_truncated before truncate on credits.%I '
            'execute function credits.refuse_change()', v_partition
        );
        execute format('alter table credits.%I enable always trigger entries_are_never_truncated', v_partition);
        execute format('comment on table credits.%I is %L', v_partition,
            'Part of credits.entries; nobody but the owner reads it directly.');
        v_made := v_made + 1;
    end loop;
    return v_made;
end
$$;
comment on function credits.ensure_partitions(integer) is
'Makes the ledger''s partitions for this month and the following ones, p_months in all. Returns how many were missing.';

-- Nobody should wait longer than a moment for the partition of a later month. If somebody has the lock, the partition
-- is made another time.
create or replace function credits.keep_partitions()
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before constant text not null := current_setting('lock_timeout');
    v_made bigint not null := 0;
begin
    -- Each month by itself: somebody may have dropped or detached one of them.
    if not exists (
        select
        from generate_series(0, 3) as i
        where to_regclass(to_char(
            credits.later(credits.clock(), make_interval(months => i)) at time zone interval '0',
            '"credits.entries_"YYYY_MM'
        )) is null
    ) then
        return 0;
    end if;
    begin
        perform set_config('lock_timeout', '1s', true);
        v_made := credits.ensure_partitions(13);
    exception
        when lock_not_available then
            v_made := 0;
    end;
    perform set_config('lock_timeout', v_before, true);
    return v_made;
end
$$;
comment on function credits.keep_partitions() is
'Makes the ledger''s partitions for a year if a partition of the next three months is missing. Returns how many. '
'Waits at most a second for a lock, and makes no partition without it.';
