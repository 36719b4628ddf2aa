-- The books of the whole bank, with two sides: what customers hold, against where it came from and where it went.
create or replace view audit.trial_balance
with (security_invoker = true)
as
select
    'customers' as side,
    coalesce(sum(w.balance), 0) as tokens
from credits.wallets as w
union all
select
    k.counter_account as side,
    coalesce(-sum(e.tokens), 0) as tokens
from credits.entry_kinds as k
left join credits.entries as e on k.kind = e.kind
group by k.counter_account;
comment on view audit.trial_balance is 'The balance of each side of the books, in tokens. The column adds up to zero.';
