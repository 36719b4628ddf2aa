-- Nobody spent what they did not have.
create or replace view audit.check_negative
with (security_invoker = true)
as
select
    w.account_id,
    'balance + debt, debt and held not below 0, held within balance' as expected,
    format('balance %s, debt %s, held %s', w.balance, w.debt, w.held) as found
from credits.wallets as w
where w.balance + w.debt < 0 or w.debt < 0 or w.held < 0 or w.held > w.balance + w.debt
union all
select
    e.account_id,
    format('balance + debt not below 0 after entry %s', e.seq) as expected,
    format('balance %s, debt %s', e.balance_after, e.debt_after) as found
from credits.entries as e
where e.balance_after + e.debt_after < 0;
comment on view audit.check_negative is
'No balance is, or ever was, below zero without debt.

A row means: an account spent what it did not have, or holds more than it has.

What to do: follow "A finding in the ledger" in docs/auditing.md. The functions of the bank cannot do this, so look
for a write to the tables.';
