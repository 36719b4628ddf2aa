-- The one clock: every condition about time asks it. Money functions ask it once they hold the lock, so that time never
-- goes back. Tests put accounts on clocks of their own: see sql/api/set_test_clock.sql.
create or replace function credits.clock()
returns timestamptz
language sql
volatile
parallel safe
return clock_timestamp();
comment on function credits.clock() is 'The time now, not the start of the transaction.';

-- Code that has the wallet's row at hand uses coalesce(test_clock, credits.clock()), and saves this look-up. The
-- planner does not inline this function, because the look-up would make statements slower even when it is not needed.
create or replace function credits.clock(p_account_id uuid)
returns timestamptz
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce(
        (select w.test_clock from credits.wallets as w where w.account_id = p_account_id), credits.clock()
    );
end
$$;
comment on function credits.clock(uuid) is
'The time of an account: what its test clock shows, otherwise the time now. Null stands for no account in particular.';

-- Not a time to write into the books: it says which transaction this is.
create or replace function credits.transaction_began()
returns timestamptz
language sql
stable
parallel safe
return transaction_timestamp();
comment on function credits.transaction_began() is
'The start of this transaction, as in credits.prices.defined_at. It shows whether this transaction wrote a version.';
