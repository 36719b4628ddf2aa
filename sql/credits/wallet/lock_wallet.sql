-- The lock order of the whole bank: sql/README.md.
--
-- The session that holds a lock may be idle, so every wait has an end, whatever the waiting session has set. A spend, a
-- hold and a capture bound all their waits at once: see credits.wait_to_spend. Other calls first try the lock without
-- waiting, which costs nothing. If the row is locked, they use credits.wait_for_wallet.

create or replace function credits.bound_wait(p_longest interval default '2 seconds')
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before constant text := current_setting('lock_timeout');
begin
    -- 0 means for ever. If the caller has a shorter bound, it is kept.
    if v_before = '0' or v_before::interval > p_longest then
        perform set_config(
            'lock_timeout', greatest(ceil(extract(epoch from p_longest) * 1000), 1)::bigint || 'ms', true
        );
    end if;
    return v_before;
end
$$;
comment on function credits.bound_wait(interval) is
'Sets the longest wait for any lock from now on, and returns the bound before, which the caller must set again. '
'Waiting for a row may be two waits: one for the queue and one for its head.';

create or replace function credits.refuse_busy(p_what text default 'this account')
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(503, 'busy', 'another transaction has ' || p_what || ': try again');
end
$$;
comment on function credits.refuse_busy(text) is 'Raises PT503 busy: nothing was done, and the call may be repeated.';

-- Only a subtransaction can tell the end of the wait from other errors.
create or replace function credits.wait_for_wallet(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before text;
begin
    v_before := credits.bound_wait();
    perform from credits.wallets as w where w.account_id = p_account_id for no key update;
    if not found then
        perform credits.refuse_unknown_user();
    end if;
    perform set_config('lock_timeout', v_before, true);
exception
    when lock_not_available then
        perform credits.refuse_busy('this account');
end
$$;
comment on function credits.wait_for_wallet(uuid) is
'Locks a wallet that another transaction has locked, if it becomes free within 4 seconds. Raises PT503 busy, PT404 '
'unknown_user.';

create or replace function credits.lock_wallet(
    p_account_id uuid,
    out seq bigint,
    out balance numeric,
    out status text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_due_at timestamptz;
    v_test_clock timestamptz;
begin
    -- Money is acknowledged only when it is on disk, whatever the session asked for. A SET clause of the function would
    -- be undone before the commit, so the body does it.
    if current_setting('synchronous_commit') in ('off', 'local') then
        perform set_config('synchronous_commit', 'on', true);
    end if;

    -- With NO KEY, inserts that refer to the account need not wait.
    perform from credits.wallets as w where w.account_id = p_account_id for no key update skip locked;
    if not found then
        perform credits.wait_for_wallet(p_account_id);
    end if;
    select w.due_at, w.test_clock into v_due_at, v_test_clock
    from credits.wallets as w
    where w.account_id = p_account_id;
    if not found then
        perform credits.refuse_unknown_user();
    end if;

    perform credits.close_head(p_account_id);
    -- Read the time after taking the lock: waiting for it may have taken long.
    if v_due_at <= coalesce(v_test_clock, credits.clock()) then
        perform credits.catch_up(p_account_id);
    end if;
    select w.seq, w.balance, w.status into strict seq, balance, status
    from credits.wallets as w
    where w.account_id = p_account_id;
end
$$;
comment on function credits.lock_wallet(uuid) is
'Locks the wallet until the end of the transaction, brings it up to date (credits.catch_up), and returns its state. It '
'takes back the permit, so the next spend checks limits, notices and lots again. Most calls begin with this function. '
'Spends, holds and ends of holds lock the wallet themselves, and call it only when something is due. Batches call '
'credits.lock_to_spend. Raises PT404 unknown_user, PT503 busy.';

create or replace function credits.lock_wallets(p_account_ids uuid[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_account_id uuid;
begin
    for v_account_id in
        select distinct a.account_id
        from unnest(p_account_ids) as a (account_id)
        where a.account_id is not null
        order by a.account_id
    loop
        perform credits.lock_wallet(v_account_id);
    end loop;
end
$$;
comment on function credits.lock_wallets(uuid[]) is
'Calls credits.lock_wallet for several accounts, in an order that prevents deadlocks. Ignores nulls. Raises PT404 '
'unknown_user, PT503 busy.';

create or replace function credits.stop_waiting()
returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using
        errcode = 'lock_not_available', message = 'other transactions have kept these wallets locked for too long';
end
$$;
comment on function credits.stop_waiting() is 'Ends a wait as lock_timeout does. Raises lock_not_available.';

-- Locks as a spend does, and keeps the permits, except where something is due.
create or replace function credits.lock_to_spend(p_account_ids uuid[], p_wait interval default '250 milliseconds')
returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before constant text := case
        when p_wait is null then current_setting('lock_timeout') else credits.bound_wait(p_wait)
    end;
    v_until timestamptz;
    v_now timestamptz;
    v_due_at timestamptz;
begin
    if current_setting('synchronous_commit') in ('off', 'local') then
        perform set_config('synchronous_commit', 'on', true);
    end if;
    loop
        -- Take the locks first and read the time after them: waiting may have taken long.
        v_until := coalesce(credits.later(credits.clock(), p_wait), 'infinity');
        select
            min(
                case
                    when credits.clock() > v_until then credits.stop_waiting()
                    when w.test_clock is null then w.due_at
                    when w.due_at <= w.test_clock then '-infinity'
                end
            )
        into v_due_at
        from (
            select x.due_at, x.test_clock
            from credits.wallets as x
            where x.account_id = any (p_account_ids)
            order by x.account_id
            for no key update
        ) as w;
        v_now := credits.clock();
        exit when (v_due_at <= v_now) is not true;
        perform credits.lock_wallets(array(
            select w.account_id
            from credits.wallets as w
            where w.account_id = any (p_account_ids) and w.due_at <= coalesce(w.test_clock, v_now)
        ));
    end loop;
    perform set_config('lock_timeout', v_before, true);
    return v_now;
end
$$;
comment on function credits.lock_to_spend(uuid[], interval) is
'Locks wallets in an order that prevents deadlocks, and books what is due. Returns the time, at which nothing is due '
'on any of them. Raises lock_not_available when that takes longer than p_wait, at worst three times as long. p_wait is '
'null if this transaction has locked the wallets already: then a slow machine cannot end it.';

-- Locks wallets one by one, in order, so a waiting call has locked only wallets before the one that it waits for. All
-- waits together are bounded. The bound is shorter than that of other calls, which may wait for what is locked here.
-- After it, wallets that are not free are left out.
create or replace function credits.lock_those_free(p_account_ids uuid[])
returns uuid[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_until constant timestamptz := credits.clock() + interval '1 second';
    v_account_id uuid;
    v_before text;
    v_busy uuid[] := array[]::uuid[];
begin
    for v_account_id in
        select distinct a.account_id
        from unnest(p_account_ids) as a (account_id)
        where a.account_id is not null
        order by a.account_id
    loop
        perform from credits.wallets as w where w.account_id = v_account_id for no key update skip locked;
        continue when found;
        if credits.clock() < v_until then
            begin
                v_before := credits.bound_wait(v_until - credits.clock());
                perform from credits.wallets as w where w.account_id = v_account_id for no key update;
                perform set_config('lock_timeout', v_before, true);
                continue;
            exception
                when lock_not_available then null;
            end;
        end if;
        v_busy := v_busy || v_account_id;
    end loop;
    return v_busy;
end
$$;
comment on function credits.lock_those_free(uuid[]) is
'Locks those of some wallets that become free within 1 second for all of them together, at worst 2 seconds. Returns '
'those that another transaction still has. Ignores nulls.';
