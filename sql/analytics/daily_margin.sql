-- What a module earns: the money that was really paid for the tokens spent on it, less what the provider takes.
--
-- A charge records the lots that it was drawn from, and a lot records what one of its tokens cost. Tokens that were
-- given away earn nothing and still cost the provider's price. They are counted in the currency of the price list.
--
-- No part of this is materialized, so that a condition on the day, week or month is tried before anything is computed.
create or replace view analytics.daily_margin
with (security_invoker = true)
as
with money as (
    -- The currency that provider costs are counted in. Null while the price lists do not say, or do not agree.
    select case when count(distinct c.currency) = 1 then min(c.currency) end as currency
    from credits.catalogs as c
),

rates as (
    -- What the provider takes, per version of a price, for one of each dimension. A part without a rate of its own
    -- costs its parent's rate.
    select
        c.price_id,
        bool_and(c.provider_cost is not null) as is_known,
        array_agg(d.dimension) as dimensions,
        array_agg(round(c.provider_cost / (c.unit_size * r.exchange_rate), 30)) as costs
    from credits.price_components as c
    inner join credits.prices as r on c.price_id = r.price_id
    cross join
        lateral (
            select c.dimension
            union all
            select x.dimension
            from credits.dimensions as x
            where
                x.parent = c.dimension
                and not exists (
                    select from credits.price_components as o
                    where o.price_id = c.price_id and o.dimension = x.dimension
                )
        ) as d
    group by 1
),

plans as (
    -- The lots that a plan brought: paid periods, what rolled over from them, and periods of a free plan.
    select
        l.account_id,
        l.lot_id,
        i.plan_id
    from credits.lots as l
    inner join credits.subscription_invoices as i on l.account_id = i.account_id and l.order_id = i.order_id
    union all
    select
        f.account_id,
        f.lot_id,
        f.plan_id
    from credits.free_periods as f
    where f.lot_id is not null
),

lots as (
    select
        l.account_id,
        l.lot_id,
        l.source,
        l.unit_cost,
        coalesce(l.currency, m.currency) as currency,
        p.plan_id
    from credits.lots as l
    cross join money as m
    left join plans as p on l.account_id = p.account_id and l.lot_id = p.lot_id
),

first_captures as (
    -- Of holds that were captured in parts.
    select
        h.hold_id,
        h.seqs[1] as seq
    from credits.holds as h
    where cardinality(h.seqs) > 1
),

drawn as (
    select
        (e.posted_at at time zone interval '0')::date as day,
        e.module_id,
        l.source,
        l.plan_id,
        l.currency,
        -- A charge counts once, with its first draw. A hold that is captured in parts counts with the first part.
        d.place = 1 and e.kind = 'spend' and coalesce(c.seq = e.seq, true) as counts,
        case when e.tokens > 0 then -1 else 1 end * (d.draw ->> 'tokens')::numeric as tokens,
        l.unit_cost,
        -- The provider was paid, whether or not the charge was refunded.
        (e.kind = 'refund' or r.is_known) is true as is_known,
        case
            when e.kind = 'refund' then 0
            else (
                -- A subquery takes five times as long as six terms.
                coalesce((e.usage ->> r.dimensions[1])::numeric * r.costs[1], 0)
                + coalesce((e.usage ->> r.dimensions[2])::numeric * r.costs[2], 0)
                + coalesce((e.usage ->> r.dimensions[3])::numeric * r.costs[3], 0)
                + coalesce((e.usage ->> r.dimensions[4])::numeric * r.costs[4], 0)
                + coalesce((e.usage ->> r.dimensions[5])::numeric * r.costs[5], 0)
                + coalesce((e.usage ->> r.dimensions[6])::numeric * r.costs[6], 0)
                + case
                    when (cardinality(r.dimensions) > 6) is true
                        then (
                            select coalesce(sum((e.usage ->> q.dimension)::numeric * q.cost), 0)
                            from unnest(r.dimensions[7:], r.costs[7:]) as q (dimension, cost)
                        )
                    else 0
                end
            )
            * case
                when jsonb_array_length(e.draws) < 2 then 1
                -- This is less than was charged if a part of the charge is debt.
                else (d.draw ->> 'tokens')::numeric / (
                    select sum((x.draw ->> 'tokens')::numeric)
                    from jsonb_array_elements(e.draws) as x (draw)
                )
            end
        end as cost
    from credits.entries as e
    left join first_captures as c on e.hold_id = c.hold_id
    -- Most charges draw on one lot. The planner expects 10 elements of an array, and 100 of JSON.
    cross join
        lateral unnest(
            case
                when jsonb_array_length(e.draws) < 2 then array[e.draws -> 0]
                else array(select x.draw from jsonb_array_elements(e.draws) as x (draw))
            end
        ) with ordinality as d (draw, place)
    left join lots as l on e.account_id = l.account_id and (d.draw ->> 'lot_id')::bigint = l.lot_id
    left join rates as r on e.price_id = r.price_id
    where e.kind in ('spend', 'refund')
),

summed as (
    select
        d.day,
        d.module_id,
        d.source::text as source,
        d.plan_id,
        coalesce(d.currency, m.currency) as currency,
        count(*) filter (where d.counts) as uses,
        coalesce(sum(d.tokens), 0) as tokens,
        trim_scale(coalesce(sum(d.tokens * d.unit_cost), 0)) as revenue,
        case
            when bool_and(d.is_known and coalesce(d.currency = m.currency, true)) is true
                then trim_scale(round(sum(d.cost), 12))
        end as provider_cost
    from drawn as d
    cross join money as m
    group by 1, 2, 3, 4, 5
)

select
    s.day,
    s.module_id,
    s.source,
    s.plan_id,
    s.currency,
    s.uses,
    s.tokens,
    s.revenue,
    s.provider_cost,
    trim_scale(s.revenue - s.provider_cost) as margin
from summed as s;

comment on view analytics.daily_margin is
'Per day (UTC), module, source of the tokens, plan and currency: what the tokens spent on the module were really '
'bought for, and what the provider takes. Refunds of charges lower the tokens and the revenue of their own day. Uses '
'with the user''s own key are not counted, because they cost and earn nothing. Nor is debt, which no lot paid.';
comment on column analytics.daily_margin.source is
'Where the tokens came from: purchase, allowance (a plan), rollover, welcome, promo, referral, bonus, grant, '
'adjustment. Null for charges that drew no tokens.';
comment on column analytics.daily_margin.plan_id is
'The plan that brought the tokens. Null for tokens that no plan brought.';
comment on column analytics.daily_margin.currency is
'The currency of the lots that were spent. For tokens that were given away, that of the price list. Null when neither '
'is known.';
comment on column analytics.daily_margin.uses is
'Charges. A charge that drew on several lots, or was captured in parts, counts where it began.';
comment on column analytics.daily_margin.tokens is 'Tokens charged, less those that were refunded on the day.';
comment on column analytics.daily_margin.revenue is
'Money that was paid for the tokens spent, in minor units: for each lot, what it was really bought for. 0 for gifts.';
comment on column analytics.daily_margin.provider_cost is
'What the provider takes for them, in minor units, by the price version of each charge. Null when the price list does '
'not say it for all of them, or counts it in another currency.';
comment on column analytics.daily_margin.margin is
'revenue - provider_cost, in minor units. Null when provider_cost is.';
