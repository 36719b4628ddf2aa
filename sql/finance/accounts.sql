-- What the accounts of the journal are called in the operator's bookkeeping.
create or replace view finance.accounts
with (security_invoker = true)
as
select
    a.account,
    a.number,
    a.name
from credits.finance_accounts as a;

comment on view finance.accounts is
'The accounts of the journal. credits.name_account, called by the superuser, changes their numbers and names.';
comment on column finance.accounts.account is 'What pgcredits calls it.';
comment on column finance.accounts.number is 'Its number in the operator''s chart of accounts.';
comment on column finance.accounts.name is 'Its name there.';
