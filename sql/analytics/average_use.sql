-- How much a user uses: the means of account_use.
create or replace view analytics.average_use
with (security_invoker = true)
as
select
    u.month,
    count(*) as active_accounts,
    avg(u.uses) as uses_per_account,
    avg(u.tokens) as tokens_per_account
from analytics.account_use as u
where u.uses > 0
group by 1;

comment on view analytics.average_use is
'Per month (UTC): the accounts that used anything, and their average number of uses and of tokens.';
comment on column analytics.average_use.uses_per_account is
'Charges, and uses with the user''s own key. A hold counts as one use, however many captures it has.';
comment on column analytics.average_use.tokens_per_account is
'Tokens charged, less those that were refunded in the month.';
