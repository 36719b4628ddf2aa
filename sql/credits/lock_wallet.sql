-- Lock order of the whole bank: 1. a Stripe event's row, 2. the identity, where a referrer matters (see referral.sql),
-- 3. the wallet (several: in the order of account_id), 4. campaigns and whatever else hangs on it.
create or replace function credits.lock_wallet(
    p_account_id uuid,
    p_settle boolean default true,
    out seq bigint,
    out balance numeric,
    out status text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_head_lot bigint;
    v_due_at timestamptz;
    v_test_clock timestamptz;
    v_due boolean;
begin
    -- Money is not acknowledged before it is on disk, whatever the session asked for.
    -- In the body: as a SET clause of the function it would be undone before the commit.
    if current_setting('synchronous_commit') in ('off', 'local') then
        perform set_config('synchronous_commit', 'on', true);
    end if;

    -- NO KEY: inserts that refer to the account need not wait.
    select w.seq, w.balance, w.status, w.head_lot, w.due_at, w.test_clock
    into seq, balance, status, v_head_lot, v_due_at, v_test_clock
    from credits.wallets as w
    where w.account_id = p_account_id
    for no key update;
    if not found then
        perform credits.fail(404, 'unknown_user', 'no such user: open_account opens an account');
    end if;

    -- The time after the lock: waiting for it may have taken long.
    v_due := v_due_at <= coalesce(v_test_clock, credits.clock());
    if v_head_lot is not null and (p_settle or v_due) then
        perform credits.settle_head(p_account_id);
    end if;
    if v_due then
        perform credits.catch_up(p_account_id);
        select w.seq, w.balance into seq, balance from credits.wallets as w where w.account_id = p_account_id;
    end if;
end
$$;
comment on function credits.lock_wallet(uuid, boolean) is
'Locks the wallet until the end of the transaction, books what has expired, and says how it stands. '
'p_settle: the tokens of the head lot are put back on its row, as everything needs it that looks at lots. '
'Raises PT404 unknown_user.';

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
'credits.lock_wallet for several accounts, in the order that keeps them from waiting for each other. Nulls are passed '
'over. Raises PT404 unknown_user.';

-- As a spend locks: heads stay where they are. When the clock has made something due, the long way.
create or replace function credits.lock_to_spend(p_account_ids uuid[])
returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz;
    v_due_at timestamptz;
begin
    if current_setting('synchronous_commit') in ('off', 'local') then
        perform set_config('synchronous_commit', 'on', true);
    end if;
    loop
        -- The locks first, the time after them: waiting may have taken long.
        select min(case when w.test_clock is null then w.due_at when w.due_at <= w.test_clock then '-infinity' end)
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
    return v_now;
end
$$;
comment on function credits.lock_to_spend(uuid[]) is
'Locks wallets, in the order that keeps calls from waiting for each other, books what is due, and gives the time, at '
'which nothing is due on any of them.';
