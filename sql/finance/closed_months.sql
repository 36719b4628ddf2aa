-- The months that were closed.
create or replace view finance.closed_months
with (security_invoker = true)
as
select
    m.month,
    m.closed_at,
    m.accounts,
    m.entries,
    encode(m.root_hash, 'hex') as root_hash
from credits.closed_months as m;

comment on view finance.closed_months is
'The months that finance.close_period has closed. finance shows them as they were then.';
comment on column finance.closed_months.month is 'Its first day.';
comment on column finance.closed_months.closed_at is
'Entries that were posted before this moment are in its sums. Later ones count in the months after.';
comment on column finance.closed_months.accounts is 'How many accounts had an entry.';
comment on column finance.closed_months.entries is 'How many entries the ledger had.';
comment on column finance.closed_months.root_hash is
'The sha256 over the last entry of every account (credits.ledger_root).';
