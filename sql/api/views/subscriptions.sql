-- Which plans an account has: its subscriptions at Stripe, and the free plan.
create or replace view api.subscriptions
with (security_invoker = true)
as
select
    s.subscription_id,
    u.user_id,
    s.plan_id,
    p.title,
    s.status,
    s.quantity,
    trim_scale(v.allowance * s.quantity) as allowance,
    v.amount * s.quantity as amount,
    v.currency,
    coalesce(s.period_starts_at, g.period_starts_at) as period_starts_at,
    coalesce(s.period_ends_at, g.period_ends_at) as period_ends_at,
    s.cancel_at_period_end,
    s.cancel_at,
    s.pause,
    s.resumes_at,
    s.trial_ends_at,
    s.ended_at,
    f.amount_due as unpaid_amount,
    f.pay_url,
    f.next_attempt_at
from credits.subscriptions as s
left join credits.plans as p on s.plan_id = p.plan_id
left join credits.plan_versions as v on s.plan_id = v.plan_id and s.version = v.version
left join lateral credits.user_of(s.account_id) as u on true
-- The period that was granted last.
left join lateral (
    select
        i.period_starts_at,
        i.period_ends_at
    from credits.subscription_invoices as i
    where i.account_id = s.account_id and i.subscription_id = s.subscription_id and i.order_id is not null
    order by i.period_ends_at desc
    limit 1
) as g on true
-- The invoice that could not be collected.
left join lateral (
    select
        i.amount_due,
        i.pay_url,
        i.next_attempt_at
    from credits.subscription_invoices as i
    where
        i.account_id = s.account_id and i.subscription_id = s.subscription_id and i.state = 'open' and i.attempts > 0
    order by i.created_at desc
    limit 1
) as f on true
union all
select
    null as subscription_id,
    u.user_id,
    f.plan_id,
    p.title,
    case when f.lot_id is null then 'paused' else 'active' end as status,
    1 as quantity,
    trim_scale(v.allowance) as allowance,
    0 as amount,
    v.currency,
    f.period_starts_at,
    f.period_ends_at,
    false as cancel_at_period_end,
    null as cancel_at,
    null as pause,
    null as resumes_at,
    null as trial_ends_at,
    null as ended_at,
    null as unpaid_amount,
    null as pay_url,
    null as next_attempt_at
from credits.free_periods as f
inner join credits.plans as p on f.plan_id = p.plan_id
inner join credits.plan_versions as v on f.plan_id = v.plan_id and f.version = v.version
left join lateral credits.user_of(f.account_id) as u on true
where
    not exists (
        select
        from credits.free_periods as later
        where later.account_id = f.account_id and later.period_starts_at > f.period_starts_at
    );

comment on view api.subscriptions is
'The plans that the caller has: subscriptions at Stripe, and the free plan. A service sees those of every account.';
comment on column api.subscriptions.subscription_id is 'Stripe''s id. Null for the free plan.';
comment on column api.subscriptions.user_id is 'The user id (sub) of the account.';
comment on column api.subscriptions.plan_id is 'The plan. Null when no plan has the price that Stripe charges.';
comment on column api.subscriptions.title is 'Its title.';
comment on column api.subscriptions.status is
'incomplete (not paid yet), incomplete_expired, trialing, active, past_due (an invoice could not be collected), '
'unpaid, paused or canceled. The free plan is active, or paused while a paid plan takes its place.';
comment on column api.subscriptions.quantity is 'How many units of the plan, such as seats.';
comment on column api.subscriptions.allowance is 'Tokens for each period.';
comment on column api.subscriptions.amount is 'Price of each period in minor units of currency.';
comment on column api.subscriptions.currency is 'ISO 4217, lower case.';
comment on column api.subscriptions.period_starts_at is 'When the present period began.';
comment on column api.subscriptions.period_ends_at is 'When it ends. Its allowance expires then.';
comment on column api.subscriptions.cancel_at_period_end is 'Whether it ends with this period.';
comment on column api.subscriptions.cancel_at is 'When it will be cancelled, if that is planned.';
comment on column api.subscriptions.pause is
'What happens to invoices while collection is paused: keep_as_draft, mark_uncollectible or void. Null: not paused.';
comment on column api.subscriptions.resumes_at is 'When collection resumes, if that is planned.';
comment on column api.subscriptions.trial_ends_at is 'When the free trial ends or ended. Null: there was none.';
comment on column api.subscriptions.ended_at is 'When it ended.';
comment on column api.subscriptions.unpaid_amount is
'What the invoice that could not be collected asks for, in minor units of currency. Null: no invoice is unpaid.';
comment on column api.subscriptions.pay_url is 'Stripe''s page on which that invoice can be paid.';
comment on column api.subscriptions.next_attempt_at is 'When Stripe tries again to collect it.';
