-- Book what has become due on accounts that nobody uses. Any scheduler may call this, at any time, from several places.
-- Nothing depends on when it runs, because everything that reads or locks a wallet looks at the clock itself.
create or replace function api.maintain(
    max_accounts bigint default 100,
    max_keys bigint default 10000
)
returns api.maintenance
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_account_id uuid;
    v_answer api.maintenance := row(0, 0, 0, 0, 0);
begin
    perform credits.require_service('may do the maintenance');
    if (maintain.max_accounts >= 0 and maintain.max_keys >= 0) is not true then
        perform credits.fail(422, 'bad_limit', 'max_accounts and max_keys must be numbers from 0');
    end if;
    -- First, while no wallet is locked: a new partition locks the ledger, so it gets a transaction of its own.
    v_answer.partitions := credits.keep_partitions();
    if v_answer.partitions > 0 then
        return v_answer;
    end if;
    v_answer.keys := credits.forget_keys(maintain.max_keys);
    v_answer.forgotten := credits.forget_origins(maintain.max_keys) + credits.forget_attempts(maintain.max_keys)
        + credits.forget_sessions(maintain.max_keys) + credits.forget_deliveries(maintain.max_keys)
        + credits.forget_notices(maintain.max_keys) + credits.forget_guests(maintain.max_keys)
        + credits.slim_events(maintain.max_keys) + credits.finish_forgetting(maintain.max_keys);
    v_answer.events := credits.retry_events(maintain.max_accounts);
    -- A few accounts at a time, because their wallets stay locked until the end. A locked wallet is skipped: the
    -- session that has it books what is due.
    for v_account_id in
        select w.account_id
        from credits.wallets as w
        where w.due_at <= coalesce(w.test_clock, credits.clock())
        order by w.account_id
        limit maintain.max_accounts
        for no key update skip locked
    loop
        perform credits.lock_wallet(v_account_id);
        v_answer.accounts := v_answer.accounts + 1;
    end loop;
    v_answer.accounts := v_answer.accounts + credits.expire_old_orders(maintain.max_accounts);
    v_answer.accounts := v_answer.accounts + credits.end_stale_calls(maintain.max_accounts);
    -- A later version of a price may have begun. It has been charged since then, but with a slower look-up.
    if exists (select from credits.price_list as l where l.valid_until <= credits.clock()) then
        perform credits.list_prices();
    end if;
    return v_answer;
end
$$;
comment on function api.maintain(bigint, bigint) is
'Do what is due, for at most max_accounts accounts: book expired holds and lots, announce lots that expire soon, and
begin the periods of limits. Also end the orders of as many accounts that got no checkout within an hour, cancel the
charges of automatic top-ups that no worker has tried within a day, apply as many
Stripe events that waited for their order, list the prices that have begun, and forget at most max_keys idempotency keys
that are older than their period (35 days, or longer), and as many of each other kind that credits.retention_periods
names. If partitions of the ledger are missing for the next months, the call makes these and
nothing else. For services. accounts, keys, events, partitions and forgotten (of the
other kinds): how many were done. Call again until all are 0.

Raises PT403 not_yours, PT422 bad_limit.';
