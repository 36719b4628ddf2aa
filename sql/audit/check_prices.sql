-- The list of current prices agrees with the versions of the prices, a component is marked as tiered if it has tiers,
-- and the parent of a dimension has no parent.
create or replace view audit.check_prices
with (security_invoker = true)
as
select
    null::uuid as account_id,
    format('%s at price %s', m.module_id, p.price_id) as expected,
    format('price %s', l.price_id) as found
from credits.modules as m
cross join lateral (select (credits.module_price(m.module_id) ->> 'price_id')::bigint as price_id) as p
inner join credits.price_list as l on m.module_id = l.module_id
where l.valid_until > credits.clock() and l.price_id is distinct from p.price_id
union all
select
    null as account_id,
    format('a call of %s at %s', l.module_id, credits.call_cost(l.price_id)) as expected,
    format('%s', l.call_cost) as found
from credits.price_list as l
where l.call_cost is distinct from credits.call_cost(l.price_id)
union all
select
    null as account_id,
    format('%s of %s: %s / %s', u.dimension, l.module_id, u.numerator, u.denominator) as expected,
    format('%s: %s / %s', l.dimension, l.numerator, l.denominator) as found
from credits.price_list as l
cross join lateral credits.linear_price(l.price_id) as u
where
    l.dimension is distinct from u.dimension
    or l.numerator is distinct from u.numerator
    or l.denominator is distinct from u.denominator
union all
select
    null as account_id,
    format('%s: price of %s, whole: %s, least: %s', l.module_id, s.price_source, s.whole_quantity, s.least_cost)
        as expected,
    format('price of %s, whole: %s, least: %s', l.price_source, l.whole_quantity, l.least_cost) as found
from credits.price_list as l
inner join credits.prices as p on l.price_id = p.price_id
cross join
    lateral (
        select
            credits.price_source(p) as price_source,
            u.whole_quantity,
            credits.least_cost(l.price_id) as least_cost
        from credits.linear_price(l.price_id) as u
    ) as s
where
    l.valid_until > credits.clock()
    and (l.price_source, l.whole_quantity, l.least_cost)
    is distinct from (s.price_source, s.whole_quantity, s.least_cost)
union all
select
    null as account_id,
    format('%s at price %s from %s', l.module_id, l.price_id, credits.utc_text(p.valid_from)) as expected,
    format('from %s', credits.utc_text(l.valid_from)) as found
from credits.price_list as l
inner join credits.prices as p on l.price_id = p.price_id
where l.valid_from < p.valid_from
union all
select
    null as account_id,
    format('%s of price %s tiered: %s', c.dimension, c.price_id, c.tiered) as expected,
    format('tiers: %s', not c.tiered) as found
from credits.price_components as c
where
    c.tiered <> exists (
        select from credits.price_tiers as t
        where t.price_id = c.price_id and t.dimension = c.dimension
    )
union all
select
    null as account_id,
    format('%s, the parent of %s, has no parent', p.dimension, d.dimension) as expected,
    format('its parent is %s', p.parent) as found
from credits.dimensions as d
inner join credits.dimensions as p on d.parent = p.dimension
where p.parent is not null;
comment on view audit.check_prices is
'The list of current prices agrees with the versions of the prices, a component is marked as tiered if it has tiers,
and the parent of a dimension has no parent.

A row means: the list that spends read disagrees with the versions of the prices, so a use may cost the wrong price.

What to do: apply the price list again with `pgcredits catalog apply`. Find out who changed the tables: charges
since then may be refunded with api.refund_usage.';
