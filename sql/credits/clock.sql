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
