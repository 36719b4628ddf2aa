-- The history of the money that came back is what the orders say in the end.
create or replace view audit.check_money_returns
with (security_invoker = true)
as
with history as (
    select
        m.account_id,
        m.order_id,
        m.number,
        m.reversed_after,
        row_number() over w as place,
        sum(m.amount) over w as reversed,
        lead(m.number) over w is null as is_last
    from credits.money_returns as m
    window w as (partition by m.account_id, m.order_id order by m.number)
)

select
    h.account_id,
    format('order %s: return %s follows, after which %s has gone back', h.order_id, h.place, h.reversed) as expected,
    format('return %s, after which %s has', h.number, h.reversed_after) as found
from history as h
where h.number is distinct from h.place or h.reversed_after is distinct from h.reversed
union all
select
    o.account_id,
    format('order %s: %s minor units have gone back', o.order_id, o.reversed) as expected,
    format('its history says %s', coalesce(h.reversed_after, 0)) as found
from credits.orders as o
left join history as h on o.account_id = h.account_id and o.order_id = h.order_id and h.is_last
where o.reversed <> coalesce(h.reversed_after, 0);
comment on view audit.check_money_returns is
'What the history of each order says of the money that has gone back is what the order says.

A row means: finance dates or counts a refund wrongly, because an order or its history was changed by hand.

What to do: find the events of the order in credits.stripe_events, and correct the side that disagrees with them.';
