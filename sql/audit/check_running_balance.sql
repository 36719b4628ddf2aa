-- The balance after each entry is the balance before it plus its tokens.
create or replace view audit.check_running_balance
with (security_invoker = true)
as
select
    pair.account_id,
    format('balance %s after entry %s', pair.previous_balance + pair.tokens, pair.seq) as expected,
    format('balance %s', pair.balance_after) as found
from (
    select
        entry.account_id,
        entry.seq,
        entry.tokens,
        entry.balance_after,
        coalesce(lag(entry.balance_after) over in_order, 0) as previous_balance
    from credits.entries as entry
    window in_order as (partition by entry.account_id order by entry.seq)
) as pair
where pair.balance_after <> pair.previous_balance + pair.tokens;
comment on view audit.check_running_balance is
'balance_after of each entry is that of the entry before plus its tokens.

A row means: an entry says another balance than the one before it plus its tokens.

What to do: follow "A finding in the ledger" in docs/auditing.md. It names the first entry that does not follow.';
