-- What a module earns: the money that was really paid for the tokens spent on it, less what the provider takes.
--
-- A charge records the lots that it was drawn from, and a lot records what one of its tokens cost. Tokens that were
-- given away earn nothing and still cost the provider's price. They are counted in the currency of the price list.
create or replace view analytics.module_margin
with (security_invoker = true)
as
with money as (
    -- The currency that provider costs are counted in. Null while the price lists do not say, or do not agree.
    select case when count(distinct c.currency) = 1 then min(c.currency) end as currency
    from credits.catalogs as c
),

drawn as (
    select
        date_trunc('month', e.posted_at at time zone interval '0')::date as month,
        e.module_id,
        coalesce(l.currency, m.currency) as currency,
        m.currency as cost_currency,
        -- A charge counts once, with its first draw. A hold that is captured in parts counts with the first part.
        coalesce(d.place = 1, true) and coalesce(h.part, 1) = 1 and e.kind = 'spend' as counts,
        coalesce(-sign(e.tokens) * (d.draw ->> 'tokens')::numeric, 0) as tokens,
        coalesce(-sign(e.tokens) * (d.draw ->> 'tokens')::numeric * l.unit_cost, 0) as revenue,
        -- The provider was paid, whether or not the charge was refunded.
        case
            when e.kind = 'refund' then 0
            else p.cost * coalesce((d.draw ->> 'tokens')::numeric / w.drawn, 1)
        end as cost
    from credits.entries as e
    cross join money as m
    left join credits.captures as h on e.account_id = h.account_id and e.seq = h.seq
    left join lateral jsonb_array_elements(e.draws) with ordinality as d (draw, place) on true
    cross join
        lateral (
            -- This is less than was charged if a part of the charge is debt.
            select nullif(sum((x.draw ->> 'tokens')::numeric), 0) as drawn
            from jsonb_array_elements(e.draws) as x (draw)
        ) as w
    left join credits.lots as l on e.account_id = l.account_id and l.lot_id = (d.draw ->> 'lot_id')::bigint
    left join lateral (
        select
            case
                when bool_and(c.provider_cost is not null) is true
                    then sum(q.quantity * c.provider_cost / (c.unit_size * r.exchange_rate))
            end as cost
        from credits.price_components as c
        inner join credits.prices as r on c.price_id = r.price_id
        cross join
            lateral (
                -- Its own quantity, and that of its parts without a rate.
                select
                    coalesce((e.usage ->> c.dimension)::numeric, 0)
                    + coalesce(sum((e.usage ->> x.dimension)::numeric), 0) as quantity
                from credits.dimensions as x
                where
                    x.parent = c.dimension
                    and not exists (
                        select from credits.price_components as o
                        where o.price_id = c.price_id and o.dimension = x.dimension
                    )
            ) as q
        where c.price_id = e.price_id
    ) as p on true
    where e.kind in ('spend', 'refund')
),

summed as (
    select
        d.month,
        d.module_id,
        d.currency,
        count(*) filter (where d.counts) as uses,
        sum(d.tokens) as tokens,
        sum(d.revenue) as revenue,
        case
            when bool_and(d.cost is not null and coalesce(d.currency = d.cost_currency, true)) is true
                then sum(d.cost)
        end as cost
    from drawn as d
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
comment on column analytics.module_margin.margin is 'revenue - provider_cost, in minor units.';
comment on column analytics.module_margin.margin_percent is
'margin as a percentage of revenue. Null when the revenue is 0.';
