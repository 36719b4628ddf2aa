-- How much is used, in the dimensions that modules are priced in.
create or replace view analytics.usage_quantities
with (security_invoker = true)
as
select
    (e.posted_at at time zone interval '0')::date as day,
    e.module_id,
    u.dimension,
    sum(u.quantity::numeric) as quantity,
    coalesce(sum(u.quantity::numeric) filter (where e.kind = 'byok'), 0) as own_key_quantity
from credits.entries as e
cross join lateral jsonb_each_text(e.usage) as u (dimension, quantity)
where e.kind in ('spend', 'byok')
group by 1, 2, 3;

comment on view analytics.usage_quantities is
'Per day (UTC), module and dimension (calls, seconds, input_tokens …): how much of it was used.';
comment on column analytics.usage_quantities.own_key_quantity is
'How much of the quantity was used with the user''s own key.';
