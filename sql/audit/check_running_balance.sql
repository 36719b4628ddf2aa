-- Each entry's balance is the one before plus its tokens.
create or replace view audit.check_running_balance
with (security_invoker = true)
as
select
    e.account_id,
    format('balance %s after entry %s', e.previous_balance + e.tokens, e.seq) as expected,
    format('balance %s', e.balance_after) as found
from (
    select
        x.account_id,
        x.seq,
        x.tokens,
        x.balance_after,
        coalesce(lag(x.balance_after) over (partition by x.account_id order by x.seq), 0) as previous_balance
    from credits.entries as x
) as e
where e.balance_after <> e.previous_balance + e.tokens;
comment on view audit.check_running_balance is 'balance_after of each entry is the one before plus its tokens.';
