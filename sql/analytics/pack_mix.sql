-- Which packs are bought.
create or replace view analytics.pack_mix
with (security_invoker = true)
as
select
    date_trunc('month', o.paid_at at time zone interval '0')::date as month,
    o.currency,
    o.pack_id,
    o.package_name,
    count(*) as orders,
    sum(o.tokens + o.bonus_tokens) as tokens,
    sum(o.amount)::bigint as amount,
    round(count(*) / sum(count(*)) over same_month, 4) as share_of_orders,
    round(sum(o.amount) / sum(sum(o.amount)) over same_month, 4) as share_of_amount
from credits.orders as o
where o.state = 'paid' and o.kind <> 'subscription'
group by 1, 2, 3, 4
window same_month as (partition by date_trunc('month', o.paid_at at time zone interval '0')::date, o.currency);

comment on view analytics.pack_mix is
'Per month (UTC) and currency: paid orders of each pack and of top-ups, and their share. Shares add up to 1 in each '
'month and currency.';
comment on column analytics.pack_mix.pack_id is 'Null for top-ups of an amount.';
comment on column analytics.pack_mix.tokens is 'Tokens sold, including the bonus.';
comment on column analytics.pack_mix.amount is 'Their price in minor units of the currency.';
