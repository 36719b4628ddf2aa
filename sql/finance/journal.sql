-- The journal, day by day. Its account names are the operator's: see finance.accounts.
create or replace view finance.journal
with (security_invoker = true)
as
select
    p.period as day,
    p.currency,
    p.event,
    p.account,
    a.number,
    a.name,
    p.debit,
    p.credit
from credits.postings('day', 'infinity') as p
inner join credits.finance_accounts as a on p.account = a.account;

comment on view finance.journal is
'Postings per day (UTC), currency and event, in minor units. The debits of an event equal its credits, so those of a '
'day do.';
comment on column finance.journal.event is 'sale, use, expiry, money_back or adjustment.';
comment on column finance.journal.account is
'cash, tax, deferred_revenue, revenue, breakage, refunds or adjustments: see finance.accounts.';
comment on column finance.journal.number is 'The number of the account, as the operator has set it.';
comment on column finance.journal.name is 'The name of the account, as the operator has set it.';
comment on column finance.journal.debit is 'Minor units; 0 or above.';
comment on column finance.journal.credit is 'Minor units; 0 or above.';
