-- Close a month: what finance says of it does not change any more. The operator calls this, as the superuser: it is a
-- decision about the books, and accountants only read.
--
--   1. Refuse a month that cannot be closed now: it is not over, it is closed, an earlier one is open, or expiries of
--      it have not been booked.
--   2. Find the moment of the close. A transaction that has locked a wallet may have read the clock already, and may
--      write an entry with that time a little later. So take a lock that waits for all of them, read the clock, and
--      give the lock back at once. Every entry that was posted before this moment can be seen now, and every later one
--      belongs to the months after. The entries of an account on a test clock are dated by that clock, so refuse to
--      close while one shows an earlier time.
--   3. Record the close with the hash of the ledger. From now on the views date later entries after this month.
--   4. Store the sums of the month.
create or replace function finance.close_period(
    month date, out closed_at timestamptz, out accounts bigint, out entries bigint, out root_hash text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_root record;
begin
    perform credits.check_closable(close_period.month);
    closed_at := credits.moment_without_writers();
    perform credits.check_test_clocks(close_period.closed_at);
    v_root := credits.ledger_root(closed_at);
    accounts := v_root.accounts;
    entries := v_root.entries;
    root_hash := encode(v_root.root, 'hex');
    insert into credits.closed_months (month, closed_at, actor, accounts, entries, root_hash)
    values (
        close_period.month, close_period.closed_at, credits.actor(), v_root.accounts, v_root.entries, v_root.root
    );
    perform credits.store_sums(close_period.month);
end
$$;
comment on function finance.close_period(date) is
'For the operator. Closes a month, named by its first day: its sums are stored, and entries that are booked later '
'count in the months after. Months are closed one after the other. Returns when it was closed, how many accounts and '
'entries the ledger had, and the sha256 over their last entries (credits.ledger_root).

Raises PT409 month_closed, month_open (with the month to close first), month_not_over (with its end, or with the number of
accounts whose test clocks show an earlier time than the close), books_behind (with the number of lots whose expiry
`pgcredits maintain` has to book first); PT422 bad_period, bad_isolation; PT503 busy.';
