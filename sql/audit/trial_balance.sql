-- The books of the whole bank, two-sided: what customers hold against where it came from and went.
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
comment on view audit.trial_balance is 'Balance of each side of the books, in tokens; the column adds up to zero.';
