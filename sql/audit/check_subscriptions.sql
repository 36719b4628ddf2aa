-- Every paid invoice of a plan was granted once, as the plan says. No allowance came without one, or twice for a period
-- of the free plan. What rolled over is within the terms. A subscription is as the newest of its events says.
create or replace view audit.check_subscriptions
with (security_invoker = true)
as
-- Read from the events themselves, not by the functions that apply them.
with paid as (
    select
        e.account_id,
        e.event_id,
        e.object_id,
        e.outcome,
        e.payload #>> '{data,object,billing_reason}' as reason,
        jsonb_array_length(e.payload #> '{data,object,lines,data}') as lines,
        case
            when (jsonb_typeof(e.payload #> '{data,object,lines,data,0,amount}') = 'number') is true
                then (e.payload #> '{data,object,lines,data,0,amount}')::numeric
        end as amount,
        e.payload #> '{data,object,lines,data,0,quantity}' as quantity
    from credits.stripe_events as e
    where
        e.type in ('invoice.paid', 'invoice.payment_succeeded')
        and e.outcome in ('granted', 'applied', 'duplicate')
        and jsonb_typeof(e.payload #> '{data,object,lines,data}') = 'array'
        and e.payload #>> '{data,object,billing_reason}'
        in ('subscription_create', 'subscription_cycle', 'subscription_update')
),

-- What each allowance had left when it expired, as the ledger says.
expired as (
    select
        l.account_id,
        l.order_id,
        coalesce(sum(x.tokens), 0) as tokens
    from credits.lots as l
    left join (
        select
            e.account_id,
            d.lot_id,
            d.tokens
        from credits.entries as e
        cross join lateral jsonb_to_recordset(e.draws) as d (lot_id bigint, tokens numeric)
        where e.kind = 'expire'
    ) as x on l.account_id = x.account_id and l.lot_id = x.lot_id
    where l.source = 'allowance' and l.order_id is not null
    group by l.account_id, l.order_id
),

rolled as (
    select
        l.account_id,
        l.lot_id,
        l.granted,
        i.unused,
        n.quantity,
        v.rollover_cap,
        v.rollover_percent,
        sum(l.granted) over (partition by n.account_id, n.invoice_id) as together
    from credits.lots as l
    left join credits.subscription_invoices as i on l.account_id = i.account_id and l.order_id = i.order_id
    left join lateral (
        select x.*
        from credits.subscription_invoices as x
        where
            x.account_id = i.account_id and x.subscription_id = i.subscription_id
            and x.period_starts_at = i.period_ends_at
        order by x.created_at, x.invoice_id
        limit 1
    ) as n on true
    left join credits.plan_versions as v on n.plan_id = v.plan_id and n.version = v.version
    where l.source = 'rollover' and l.order_id is not null
),

told as (
    select
        e.account_id,
        e.object_id as subscription_id,
        e.event_id,
        e.type = 'customer.subscription.deleted'
        or coalesce(e.payload #>> '{data,object,status}', '') in ('canceled', 'incomplete_expired') as ends,
        e.payload -> 'created' as created
    from credits.stripe_events as e
    where
        e.type in (
            'customer.subscription.created', 'customer.subscription.updated', 'customer.subscription.deleted',
            'customer.subscription.paused', 'customer.subscription.resumed'
        )
        and e.outcome in ('applied', 'duplicate')
)

select
    p.account_id,
    format('event %s (%s), invoice %s: granted once', p.event_id, p.reason, p.object_id) as expected,
    format('%s, order %s is %s', p.outcome, i.order_id, o.state) as found
from paid as p
left join credits.subscription_invoices as i on p.account_id = i.account_id and p.object_id = i.invoice_id
left join credits.orders as o on i.account_id = o.account_id and i.order_id = o.order_id
where
    -- A period that costs something was granted; an upgrade may bring less than one token, or be a credit.
    (p.reason <> 'subscription_update' and p.amount > 0 or p.outcome = 'granted')
    and (o.kind = 'subscription' and o.state = 'paid') is not true
    -- An invoice that waits for a person, and a person's decision about it.
    and not exists (
        select
        from credits.stripe_events as x
        where
            x.object_id = p.object_id and x.type in ('invoice.paid', 'invoice.payment_succeeded')
            and x.outcome in ('parked', 'dismissed')
    )
union all
select
    p.account_id,
    format(
        'invoice %s grants %s, for a quantity of %s', p.object_id,
        trim_scale(trunc(case
            when (p.amount = 0) is true then v.trial_allowance * i.quantity
            else v.allowance * p.amount / v.amount
        end)), p.quantity
    ) as expected,
    format('order %s of %s tokens, for %s', o.order_id, trim_scale(o.tokens), i.quantity) as found
from paid as p
inner join credits.subscription_invoices as i on p.account_id = i.account_id and p.object_id = i.invoice_id
inner join credits.orders as o on i.account_id = o.account_id and i.order_id = o.order_id
inner join credits.plan_versions as v on i.plan_id = v.plan_id and i.version = v.version
where
    p.lines = 1
    and (
        abs(o.tokens - case
            when (p.amount = 0) is true then v.trial_allowance * i.quantity
            else v.allowance * p.amount / v.amount
        end) >= 1
        or coalesce(nullif(p.quantity, 'null'), '1') is distinct from to_jsonb(i.quantity)
    )
union all
select
    coalesce(o.account_id, l.account_id) as account_id,
    format('order %s of a subscription has a period', coalesce(o.order_id, l.order_id)) as expected,
    format(
        'period from %s to %s, lot %s until %s',
        credits.utc_text(i.period_starts_at), credits.utc_text(i.period_ends_at), l.lot_id,
        credits.utc_text(l.expires_at)
    ) as found
from credits.orders as o
full join (
    select x.*
    from credits.lots as x
    where x.source = 'allowance' and x.order_id is not null
) as l on o.account_id = l.account_id and o.order_id = l.order_id
left join credits.subscription_invoices as i on o.account_id = i.account_id and o.order_id = i.order_id
where
    (o.kind = 'subscription' or l.lot_id is not null)
    and (o.kind = 'subscription' and i.order_id is not null and l.lot_id is not null) is not true
union all
select
    e.account_id,
    format('the allowance of order %s left %s', e.order_id, trim_scale(e.tokens)) as expected,
    format('its invoice says %s', trim_scale(i.unused)) as found
from expired as e
inner join credits.subscription_invoices as i on e.account_id = i.account_id and e.order_id = i.order_id
where e.tokens <> i.unused
union all
select
    r.account_id,
    format(
        'at most %s%% of %s go over, and %s together', coalesce(r.rollover_percent, 100), trim_scale(r.unused),
        coalesce(trim_scale(r.rollover_cap * r.quantity)::text, 'any number')
    ) as expected,
    format('lot %s of %s, %s together', r.lot_id, trim_scale(r.granted), trim_scale(r.together)) as found
from rolled as r
where
    num_nonnulls(r.rollover_cap, r.rollover_percent) = 0
    or (r.granted <= r.unused * coalesce(r.rollover_percent, 100) / 100) is not true
    or (r.together > r.rollover_cap * r.quantity) is true
union all
select
    s.account_id,
    format('subscription %s is as the newest of its events says', s.subscription_id) as expected,
    format('%s, by event %s; event %s is newer', s.status, s.said_by, t.event_id) as found
from credits.subscriptions as s
inner join told as t on s.account_id = t.account_id and s.subscription_id = t.subscription_id
left join told as b on s.account_id = b.account_id and s.said_by = b.event_id
where
    (t.ends and s.status not in ('canceled', 'incomplete_expired'))
    or (not t.ends and s.status not in ('canceled', 'incomplete_expired') and t.created > b.created)
union all
select
    s.account_id,
    format('subscription %s is of one account', s.subscription_id) as expected,
    format('it is of %s', x.account_id) as found
from credits.subscriptions as s
inner join credits.subscriptions as x on s.subscription_id = x.subscription_id and s.account_id <> x.account_id
union all
select
    f.account_id,
    format(
        'the free period from %s gives %s once', credits.utc_text(f.period_starts_at), trim_scale(v.allowance)
    ) as expected,
    format('lot %s of %s, %s', f.lot_id, trim_scale(l.granted), l.source) as found
from credits.free_periods as f
inner join credits.plan_versions as v on f.plan_id = v.plan_id and f.version = v.version
left join credits.lots as l on f.account_id = l.account_id and f.lot_id = l.lot_id
where
    (f.lot_id is not null and (l.granted = v.allowance and l.source = 'allowance' and l.order_id is null) is not true)
    or exists (
        select
        from credits.free_periods as x
        where
            x.account_id = f.account_id and x.period_starts_at > f.period_starts_at
            and (x.period_starts_at < f.period_ends_at or x.lot_id = f.lot_id)
    );
comment on view audit.check_subscriptions is
'Each paid invoice of a plan was granted once, as the plan says, until the end of its period. No allowance came
without an invoice, or twice for a free period. What rolled over is within the terms of the plan. A subscription is
as the newest of its events says, of one account, and ended for ever once it has ended.

A row means: a paid period of a plan was granted twice, not at all or with other terms, or a subscription is not as
Stripe says.

What to do: run `pgcredits stripe pull`. Give what is missing with api.replay_event, and take back with api.void_lot
what was given too much.';
