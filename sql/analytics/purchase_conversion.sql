-- How many users have bought something.
create or replace view analytics.purchase_conversion
with (security_invoker = true)
as
select
    date_trunc('month', a.created_at at time zone interval '0')::date as opened_in,
    count(*) as accounts,
    count(*) filter (where b.bought) as buyers,
    round(count(*) filter (where b.bought)::numeric / count(*), 4) as conversion
from credits.accounts as a
cross join
    lateral (
        select exists(
            select from credits.orders as o
            -- A trial is not a purchase.
            where o.account_id = a.account_id and o.state = 'paid' and o.amount > 0
        ) as bought
    ) as b
where a.kind = 'user'
group by 1;

comment on view analytics.purchase_conversion is
'Per month (UTC) in which accounts opened: accounts, how many of them have bought something, and their share.';
