-- Every paid order was granted once, as ordered, at what was paid for it; nothing was granted without a paid order.
create or replace view audit.check_orders
with (security_invoker = true)
as
with g as (
    select
        l.account_id,
        l.order_id,
        count(*) as lots,
        count(*) filter (where l.source not in ('purchase', 'bonus') or l.scope is distinct from b.scope) as others,
        sum(l.granted) filter (where l.source = 'purchase') as tokens,
        sum(l.granted) filter (where l.source = 'bonus') as bonus_tokens,
        sum(l.granted * l.unit_cost) as cost
    from credits.lots as l
    left join credits.orders as b on l.account_id = b.account_id and l.order_id = b.order_id
    where l.order_id is not null
    group by l.account_id, l.order_id
),

-- Read from the event itself, and not as fulfilment reads it: what is no number of minor units is null here.
said as (
    select
        e.account_id,
        e.order_id,
        e.event_id,
        o.amount,
        e.payload #> '{data,object,payment_status}' = '"no_payment_required"' as is_free,
        nullif(e.payload #> '{data,object,amount_total}', 'null') as total,
        coalesce(nullif(e.payload #> '{data,object,total_details,amount_discount}', 'null'), '0') as discount,
        coalesce(nullif(e.payload #> '{data,object,total_details,amount_shipping}', 'null'), '0') as shipping,
        coalesce(nullif(e.payload #> '{data,object,total_details,amount_tax}', 'null'), '0') as tax
    from credits.stripe_events as e
    inner join credits.orders as o on e.account_id = o.account_id and e.order_id = o.order_id
    where e.outcome = 'granted' and o.state = 'paid'
),

told as (
    select
        s.account_id,
        s.order_id,
        s.event_id,
        s.amount,
        s.is_free,
        case jsonb_typeof(s.discount) when 'number' then s.discount::numeric end as discount,
        case jsonb_typeof(s.shipping) when 'number' then s.shipping::numeric end as shipping,
        case jsonb_typeof(s.tax) when 'number' then s.tax::numeric end as tax,
        case when (jsonb_typeof(s.total) = 'number') is true then s.total::numeric end as total,
        s.total is not null as names_total
    from said as s
)

select
    coalesce(o.account_id, g.account_id) as account_id,
    format(
        'order %s %s: %s tokens and %s bonus',
        coalesce(o.order_id, g.order_id), o.state,
        case when (o.state = 'paid') is true then o.tokens else 0 end,
        case when (o.state = 'paid') is true then o.bonus_tokens else 0 end
    ) as expected,
    format(
        'granted %s and %s in %s lots',
        coalesce(g.tokens, 0), coalesce(g.bonus_tokens, 0), coalesce(g.lots, 0)
    ) || case when (g.others > 0) is true then ', not all as ordered' else '' end as found
from credits.orders as o
full join g on o.account_id = g.account_id and o.order_id = g.order_id
where
    coalesce(g.tokens, 0) is distinct from case when (o.state = 'paid') is true then o.tokens else 0 end
    or coalesce(g.bonus_tokens, 0) is distinct from case when (o.state = 'paid') is true then o.bonus_tokens else 0 end
    or g.others > 0
    or o.order_id is null
union all
select
    e.account_id,
    format('event %s (%s) granted order %s', e.event_id, e.type, e.order_id) as expected,
    format('order is %s', o.state) as found
from credits.stripe_events as e
left join credits.orders as o on e.account_id = o.account_id and e.order_id = o.order_id
where e.outcome = 'granted' and o.state is distinct from 'paid'
union all
-- A price per token may be a fraction that does not end: a hundredth of a minor unit is allowed for.
select
    t.account_id,
    format(
        'order %s was sold for %s less %s', t.order_id, t.amount, coalesce(t.discount::text, 'what cannot be read')
    ) as expected,
    format('its tokens cost %s', trim_scale(g.cost)) as found
from told as t
inner join g on t.account_id = g.account_id and t.order_id = g.order_id
where (abs(g.cost - (t.amount - t.discount)) <= 0.01) is not true
union all
-- With the tax in the prices or on top of them: the event does not say which. Of shipping it may be the other one.
select
    t.account_id,
    format(
        'event %s, which granted order %s, tells of the %s that its tokens cost',
        t.event_id, t.order_id, trim_scale(g.cost)
    ) as expected,
    format(
        '%s with %s tax and %s shipping',
        case when t.is_free is true then 'no payment required' else coalesce(t.total::text, 'no total') end,
        t.tax, t.shipping
    ) as found
from told as t
inner join g on t.account_id = g.account_id and t.order_id = g.order_id
where
    (
        not t.names_total
        or abs(t.total - t.shipping - g.cost) <= 0.01
        or abs(t.total - t.shipping - t.tax - g.cost) <= 0.01
        or (t.shipping > 0 and t.total - t.shipping - g.cost between -0.01 and t.tax + 0.01)
    ) is not true
    or (t.is_free and g.cost > 0.01) is true;
comment on view audit.check_orders is
'Each paid order was granted exactly once, as ordered, and its tokens cost what its event says was paid for it; no lot '
'belongs to an order that was not paid.';
