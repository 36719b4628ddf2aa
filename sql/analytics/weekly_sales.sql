-- What was sold in a week, and how much of that money went back.
create or replace view analytics.weekly_sales
with (security_invoker = true)
as
select
    date_trunc('week', o.paid_at at time zone interval '0')::date as week,
    o.kind,
    i.plan_id,
    o.package_name,
    o.currency,
    count(*) as orders,
    count(distinct o.account_id) as buyers,
    sum(o.tokens + o.bonus_tokens) as tokens,
    sum(o.paid)::bigint as paid,
    sum(o.reversed)::bigint as reversed,
    sum(o.reversal_pending)::bigint as reversal_pending,
    sum(o.paid - o.reversed)::bigint as kept,
    count(*) filter (where o.reversed > 0) as reversed_orders,
    count(*) filter (where o.disputed) as disputed_orders
from credits.orders as o
left join credits.subscription_invoices as i on o.account_id = i.account_id and o.order_id = i.order_id
where o.state = 'paid'
group by 1, 2, 3, 4, 5;

comment on view analytics.weekly_sales is
'Per week (UTC) of the payment, kind, package and currency: what was sold, and how much of that '
'money has gone back since.';
comment on column analytics.weekly_sales.week is 'The Monday that the week begins with.';
comment on column analytics.weekly_sales.kind is
'checkout (a pack or an amount), auto_topup (a standing consent), subscription (a period of a plan).';
comment on column analytics.weekly_sales.plan_id is 'The plan of a subscription. Null for everything else.';
comment on column analytics.weekly_sales.buyers is 'Accounts that bought it in this week.';
comment on column analytics.weekly_sales.tokens is 'Tokens sold, including the bonus.';
comment on column analytics.weekly_sales.paid is 'What arrived, with tax, in minor units.';
comment on column analytics.weekly_sales.reversed is
'How much of that has gone back until now, by refunds and disputes, in minor units.';
comment on column analytics.weekly_sales.reversal_pending is 'How much of it may go back soon, in minor units.';
comment on column analytics.weekly_sales.kept is 'paid - reversed, in minor units.';
comment on column analytics.weekly_sales.reversed_orders is
'Orders of which money has gone back, all of it or a part.';
comment on column analytics.weekly_sales.disputed_orders is
'Orders whose tokens are frozen, because a dispute is open.';
