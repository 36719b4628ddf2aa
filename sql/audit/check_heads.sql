-- A head lot holds no more than what may go before a limit or a notice is reached.
create or replace view audit.check_heads
with (security_invoker = true)
as
select
    w.account_id,
    format('at most %s tokens in the head', a.allowed) as expected,
    format('%s', w.head_free) as found
from credits.wallets as w
cross join lateral (select coalesce(w.test_clock, credits.clock()) as shows) as c
cross join lateral (select credits.head_allowance(w.account_id, c.shows) as allowed) as a
where w.head_lot is not null and w.due_at > c.shows and w.head_free > a.allowed;
comment on view audit.check_heads is
'No spend can pass a limit or a threshold of a notice unseen: the head lot ends before it.';
