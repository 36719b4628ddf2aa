-- The one clock: every time predicate asks it. Money functions ask it after they hold the lock, so that time never
-- goes
-- back.
create or replace function credits.clock()
returns timestamptz
language sql
volatile
parallel safe
return clock_timestamp();
comment on function credits.clock() is 'The time now, not the start of the transaction.';

-- Not a time to write into the books: which transaction this is.
create or replace function credits.transaction_began()
returns timestamptz
language sql
stable
parallel safe
return transaction_timestamp();
comment on function credits.transaction_began() is
'The start of this transaction, as credits.prices.defined_at has it: was a version written by this very transaction?';
