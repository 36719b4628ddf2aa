-- Every paid order was granted once, as ordered; nothing was granted without a paid order.
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
        sum(l.granted) filter (where l.source = 'bonus') as bonus_tokens
    from credits.lots as l
    left join credits.orders as b on l.account_id = b.account_id and l.order_id = b.order_id
    where l.order_id is not null
    group by l.account_id, l.order_id
)

select
    coalesce(o.account_id, g.account_id) as account_id,
    format(
        'order %s %s: %s tokens and %s bonus',
        coalesce(o.order_id, g.order_id), o.state,
        case when o.state = 'paid' then o.tokens else 0 end, case when o.state = 'paid' then o.bonus_tokens else 0 end
    ) as expected,
    format(
        'granted %s and %s in %s lots',
        coalesce(g.tokens, 0), coalesce(g.bonus_tokens, 0), coalesce(g.lots, 0)
    ) || case when g.others > 0 then ', not all as ordered' else '' end as found
from credits.orders as o
full join g on o.account_id = g.account_id and o.order_id = g.order_id
where
    coalesce(g.tokens, 0) <> case when o.state = 'paid' then o.tokens else 0 end
    or coalesce(g.bonus_tokens, 0) <> case when o.state = 'paid' then o.bonus_tokens else 0 end
    or g.others > 0
    or o.order_id is null
union all
select
    e.account_id,
    format('event %s (%s) granted order %s', e.event_id, e.type, e.order_id) as expected,
    format('order is %s', o.state) as found
from credits.stripe_events as e
left join credits.orders as o on e.account_id = o.account_id and e.order_id = o.order_id
where e.outcome = 'granted' and o.state is distinct from 'paid';
comment on view audit.check_orders is
'Each paid order was granted exactly once, as ordered; no lot belongs to an order that was not paid.';
