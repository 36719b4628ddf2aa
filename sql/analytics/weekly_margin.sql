-- What each module and each plan earns in a week: the sums of daily_margin.
create or replace view analytics.weekly_margin
with (security_invoker = true)
as
with summed as (
    select
        date_trunc('week', d.day::timestamp)::date as week,
        d.module_id,
        d.source,
        d.plan_id,
        d.currency,
        sum(d.uses)::bigint as uses,
        sum(d.tokens) as tokens,
        sum(d.revenue) as revenue,
        case when bool_and(d.provider_cost is not null) is true then sum(d.provider_cost) end as cost
    from analytics.daily_margin as d
    group by 1, 2, 3, 4, 5
)

select
    s.week,
    s.module_id,
    s.source,
    s.plan_id,
    s.currency,
    s.uses,
    s.tokens,
    trim_scale(round(s.revenue, 6)) as revenue,
    trim_scale(round(s.cost, 6)) as provider_cost,
    trim_scale(round(s.revenue - s.cost, 6)) as margin,
    round(100 * (s.revenue - s.cost) / nullif(s.revenue, 0), 2) as margin_percent
from summed as s;

comment on view analytics.weekly_margin is
'Per week (UTC), module, source of the tokens, plan and currency: revenue, provider''s cost and margin, as in '
'module_margin.';
comment on column analytics.weekly_margin.week is 'The Monday that the week begins with.';
comment on column analytics.weekly_margin.source is
'Where the tokens came from: purchase, allowance (a plan), rollover, welcome, promo, referral, bonus, grant, '
'adjustment. Null for charges that drew no tokens.';
comment on column analytics.weekly_margin.plan_id is
'The plan that brought the tokens. Null for tokens that no plan brought.';
comment on column analytics.weekly_margin.uses is
'Charges. A charge that drew on several lots, or was captured in parts, counts where it began.';
comment on column analytics.weekly_margin.revenue is 'As in module_margin, in minor units.';
comment on column analytics.weekly_margin.provider_cost is 'As in module_margin, in minor units.';
comment on column analytics.weekly_margin.margin is
'revenue - provider_cost, in minor units. Null when provider_cost is.';
comment on column analytics.weekly_margin.margin_percent is
'margin as a percentage of revenue. Null when the revenue is 0.';
