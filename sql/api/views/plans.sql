-- What can be subscribed to, with the terms that a new subscriber gets.
create or replace view api.plans
with (security_invoker = true)
as
select
    p.plan_id,
    p.title,
    trim_scale(v.allowance) as allowance,
    v.period_unit as interval,
    v.period_count as interval_count,
    v.amount,
    v.currency,
    coalesce(round(v.amount / power(10::numeric, c.minor_digits), c.minor_digits::integer), 0) as price,
    p.free,
    p.popular,
    p.position,
    v.trial_days,
    trim_scale(v.trial_allowance) as trial_allowance,
    trim_scale(v.rollover_cap) as rollover_cap,
    trim_scale(v.rollover_percent) as rollover_percent,
    credits.interval_text(v.rollover_expires_after) as rollover_expires_after,
    v.scope
from credits.plans as p
inner join credits.plan_versions as v on p.plan_id = v.plan_id
left join credits.currencies as c on v.currency = c.currency
where
    p.active and not exists (
        select
        from credits.plan_versions as later
        where later.plan_id = v.plan_id and later.version > v.version
    )
order by p.position, p.plan_id;

comment on view api.plans is 'What can be subscribed to. position gives the order.';
comment on column api.plans.plan_id is 'Name for POST /checkout.';
comment on column api.plans.title is 'Title.';
comment on column api.plans.allowance is 'Tokens for each period.';
comment on column api.plans.interval is 'month or year: the unit of a period.';
comment on column api.plans.interval_count is 'How many of these a period lasts.';
comment on column api.plans.amount is
'Price of a period in the unit that Stripe counts the currency in (cents). 0: the free plan.';
comment on column api.plans.currency is 'ISO 4217, lower case. Null for a free plan that names none.';
comment on column api.plans.price is
'amount in whole units of the currency, for display: 39.99. Not every currency has hundredths.';
comment on column api.plans.free is
'Whether it costs nothing. Accounts without a paid plan have it, and nobody pays for it at Stripe.';
comment on column api.plans.popular is 'Whether this is the plan to show first.';
comment on column api.plans.position is 'Order of display.';
comment on column api.plans.trial_days is 'Length of the free trial in days. 0: it has no trial.';
comment on column api.plans.trial_allowance is 'Tokens that the free trial brings.';
comment on column api.plans.rollover_cap is
'How many tokens at most roll over into the next period. Null: no bound, if rollover_percent is given.';
comment on column api.plans.rollover_percent is
'How much of what is left rolls over into the next period. Null: all of it, if rollover_cap is given; otherwise '
'nothing.';
comment on column api.plans.rollover_expires_after is
'How long these tokens last, from the beginning of the next period. Null: as long as that period.';
comment on column api.plans.scope is 'module:ID or category:ID that its tokens are bound to. Null: they are not bound.';
