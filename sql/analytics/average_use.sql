-- How much a user uses.
create or replace view analytics.average_use
with (security_invoker = true)
as
select
    u.month,
    count(*) as active_accounts,
    avg(u.uses) as uses_per_account,
    avg(u.tokens) as tokens_per_account
from (
    select
        date_trunc('month', e.posted_at at time zone interval '0')::date as month,
        e.account_id,
        count(*) filter (where e.kind <> 'refund' and coalesce(c.part, 1) = 1) as uses,
        -sum(e.tokens) as tokens
    from credits.entries as e
    left join credits.captures as c on e.account_id = c.account_id and e.seq = c.seq
    where e.kind in ('spend', 'byok', 'refund')
    group by 1, 2
) as u
where u.uses > 0
group by 1;

comment on view analytics.average_use is
'Per month (UTC): the accounts that used anything, and their average number of uses and of tokens.';
comment on column analytics.average_use.uses_per_account is
'Charges, and uses with the user''s own key. A hold counts as one use, however many captures it has.';
comment on column analytics.average_use.tokens_per_account is
'Tokens charged, less those that were refunded in the month.';
