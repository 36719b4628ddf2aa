-- What the clock has made due, for accounts that nobody touches: any scheduler may call this, at any time, from several
-- places. Nothing depends on it being prompt: whatever reads or locks a wallet goes by the clock itself.
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
    v_answer api.maintenance := row(0, 0, 0, 0);
begin
    perform credits.require_service('may do the maintenance');
    if (maintain.max_accounts >= 0 and maintain.max_keys >= 0) is not true then
        perform credits.fail(422, 'bad_limit', 'max_accounts and max_keys are numbers from 0');
    end if;
    -- First, while no wallet is locked. A new partition locks the ledger: it gets a transaction of its own.
    v_answer.partitions := credits.keep_partitions();
    if v_answer.partitions > 0 then
        return v_answer;
    end if;
    v_answer.keys := credits.forget_keys(maintain.max_keys);
    perform credits.forget_origins(maintain.max_keys);
    perform credits.forget_attempts(maintain.max_keys);
    v_answer.events := credits.retry_events(maintain.max_accounts);
    -- Few at a time: their wallets stay locked until the end. One that is locked is being caught up by whoever has it.
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
    -- A later version of a price has begun: the right one was charged from that moment on, but looked up the long way.
    if exists (select from credits.price_list as l where l.valid_until <= credits.clock()) then
        perform credits.list_prices();
    end if;
    return v_answer;
end
$$;
comment on function api.maintain(bigint, bigint) is
'Book expired holds and lots, announce those that expire soon, and begin the periods of limits, for at most max_accounts
accounts; end orders that got no checkout within an hour, for as many; apply at most max_accounts Stripe events that
waited for their order; list the prices that have begun; forget at most max_keys idempotency keys of more than 35 days ago.
When partitions of the ledger are missing for the next months, a call makes these and nothing else.
For services. accounts, keys, events and partitions: how many; call again until all are 0.

Raises PT403 not_yours, PT422 bad_limit.';
