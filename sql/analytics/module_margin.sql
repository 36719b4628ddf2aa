-- What each module earns in a month: the sums of daily_margin.
create or replace view analytics.module_margin
with (security_invoker = true)
as
with summed as (
    select
        date_trunc('month', d.day::timestamp)::date as month,
        d.module_id,
        d.currency,
        sum(d.uses)::bigint as uses,
        sum(d.tokens) as tokens,
        sum(d.revenue) as revenue,
        case when bool_and(d.provider_cost is not null) is true then sum(d.provider_cost) end as cost
    from analytics.daily_margin as d
    group by 1, 2, 3
)

select
    s.month,
    s.module_id,
    s.currency,
    s.uses,
    s.tokens,
    trim_scale(round(s.revenue, 6)) as revenue,
    trim_scale(round(s.cost, 6)) as provider_cost,
    trim_scale(round(s.revenue - s.cost, 6)) as margin,
    round(100 * (s.revenue - s.cost) / nullif(s.revenue, 0), 2) as margin_percent
from summed as s;

comment on view analytics.module_margin is
'Per month (UTC), module and currency: what the tokens spent on the module were really bought for, what the provider '
'takes, and what is left. Refunds of charges lower the tokens and the revenue of the month of the refund. Uses with '
'the user''s own key are not counted, because they cost and earn nothing. Nor is debt, which no lot paid.';
comment on column analytics.module_margin.currency is
'The currency of the lots that were spent. For tokens that were given away, that of the price list. Null when neither '
'is known.';
comment on column analytics.module_margin.uses is
'Charges. A charge that drew on two currencies, or was captured in parts, counts where it began.';
comment on column analytics.module_margin.revenue is
'Money that was paid for the tokens spent, in minor units: for each lot, what it was really bought for. 0 for gifts.';
comment on column analytics.module_margin.provider_cost is
'What the provider takes for them, in minor units, by the price version of each charge. Null when the price list does '
'not say it for all of them, or counts it in another currency.';
comment on column analytics.module_margin.margin is
'revenue - provider_cost, in minor units. Null when provider_cost is.';
comment on column analytics.module_margin.margin_percent is
'margin as a percentage of revenue. Null when the revenue is 0.';
