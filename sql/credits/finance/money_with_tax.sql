-- Each return of money, with the tax in it.
create or replace view credits.money_with_tax
with (security_invoker = true)
as
select
    r.at,
    r.cause,
    o.currency,
    r.amount,
    -- The tax of all that has gone back, less that of all that had gone back before.
    trunc((o.paid - w.worth) * r.reversed_after / o.paid)
    - trunc((o.paid - w.worth) * (r.reversed_after - r.amount) / o.paid) as tax
from credits.money_returns as r
inner join credits.orders as o on r.account_id = o.account_id and r.order_id = o.order_id
cross join
    lateral (
        select coalesce(sum(credits.lot_worth(l.source, l.granted, l.unit_cost)), 0) as worth
        from credits.lots as l
        where
            l.account_id = r.account_id and l.order_id = r.order_id
            and l.source in ('purchase', 'allowance')
    ) as w
where o.paid > 0;
comment on view credits.money_with_tax is
'The money of orders that went back (above zero) or returned after that (below zero), in minor units, and the tax in '
'it.';
