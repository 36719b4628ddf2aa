-- A moment at which nobody was writing. An entry is dated after its wallet was locked, so a transaction that may still
-- write an earlier time has a lock on the table of wallets. The lock that waits for all of them is given back with the
-- inner block, a moment after it was taken. Spends wait for it as long as it waits, which is one second at most.
create or replace function credits.moment_without_writers()
returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_moment timestamptz;
begin
    for v_attempt in 1..3 loop
        begin
            perform set_config('lock_timeout', '1s', true);
            lock table credits.wallets in exclusive mode;
            v_moment := credits.clock();
            perform credits.fail(503, 'busy', 'this ends the block, and gives the lock back');
        exception
            when lock_not_available or sqlstate 'PT503' then
                exit when v_moment is not null;
        end;
    end loop;
    if v_moment is null then
        perform credits.fail(503, 'busy', 'somebody has been writing for seconds: try again');
    end if;
    return v_moment;
end
$$;
comment on function credits.moment_without_writers() is
'A moment before which every entry has been committed or never will be. Raises PT503 busy when a transaction that '
'writes does not end.';
