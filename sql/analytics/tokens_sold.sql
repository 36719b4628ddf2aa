-- What was sold, per day and package.
create or replace view analytics.tokens_sold
with (security_invoker = true)
as
select
    (o.paid_at at time zone interval '0')::date as day,
    o.package_name,
    o.currency,
    count(*) as orders,
    sum(o.tokens + o.bonus_tokens) as tokens,
    sum(o.amount) as amount
from credits.orders as o
where o.state = 'paid'
group by 1, 2, 3;

comment on view analytics.tokens_sold is 'Paid orders per day (UTC), package and currency; amount in minor units.';
