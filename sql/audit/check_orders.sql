-- Every paid order was granted once, as ordered, and its tokens cost what was paid for it. The event says which amount
-- was paid, and in which currency. Nothing was granted without a paid order.
create or replace view audit.check_orders
with (security_invoker = true)
as
with granted as (
    select
        l.account_id,
        l.order_id,
        count(*) as lots,
        count(*) filter (
            where l.scope is distinct from b.scope
            or (l.source in ('allowance', 'rollover')) <> (b.kind is not distinct from 'subscription')
            or l.source not in ('purchase', 'bonus', 'allowance', 'rollover')
        ) as others,
        sum(l.granted) filter (where l.source in ('purchase', 'allowance')) as tokens,
        sum(l.granted) filter (where l.source = 'bonus') as bonus_tokens,
        -- What went over from a period has been paid for with that period.
        sum(l.granted * l.unit_cost) filter (where l.source <> 'rollover') as cost
    from credits.lots as l
    left join credits.orders as b on l.account_id = b.account_id and l.order_id = b.order_id
    where l.order_id is not null
    group by l.account_id, l.order_id
),

-- Read from the event itself, not by the functions that fulfil an order. A member that is missing or null counts as 0.
payments as (
    select
        e.account_id,
        e.order_id,
        e.event_id,
        o.kind = 'subscription' as is_plan,
        o.amount,
        o.paid,
        o.currency,
        coalesce(i.credited, 0) as credited,
        e.payload #>> '{data,object,currency}' as event_currency,
        e.payload #> '{data,object,payment_status}' = '"no_payment_required"' as is_free,
        -- A session says amount_total, the charge of an automatic top-up amount_received, an invoice total.
        case
            when o.kind = 'subscription'
                then coalesce(
                    nullif(e.payload #> '{data,object,total}', 'null'),
                    nullif(e.payload #> '{data,object,amount_paid}', 'null')
                )
            else
                nullif(
                    coalesce(e.payload #> '{data,object,amount_total}', e.payload #> '{data,object,amount_received}'),
                    'null'
                )
        end as total,
        coalesce(nullif(e.payload #> '{data,object,total_details,amount_discount}', 'null'), '0') as discount,
        coalesce(nullif(e.payload #> '{data,object,total_details,amount_shipping}', 'null'), '0') as shipping,
        coalesce(nullif(e.payload #> '{data,object,total_details,amount_tax}', 'null'), '0') as tax
    from credits.stripe_events as e
    inner join credits.orders as o on e.account_id = o.account_id and e.order_id = o.order_id
    left join credits.subscription_invoices as i on o.account_id = i.account_id and o.order_id = i.order_id
    where e.outcome = 'granted' and o.state = 'paid'
),

-- As numbers of minor units. What is not a number is null.
amounts as (
    select
        payments.account_id,
        payments.order_id,
        payments.event_id,
        payments.is_plan,
        payments.amount,
        payments.paid,
        payments.currency,
        payments.credited,
        payments.event_currency,
        payments.is_free,
        case jsonb_typeof(payments.discount) when 'number' then payments.discount::numeric end as discount,
        case jsonb_typeof(payments.shipping) when 'number' then payments.shipping::numeric end as shipping,
        case jsonb_typeof(payments.tax) when 'number' then payments.tax::numeric end as tax,
        case when (jsonb_typeof(payments.total) = 'number') is true then payments.total::numeric end as total,
        payments.total is not null as names_total
    from payments
),

-- A session may name no total. What Stripe credited of an earlier period has paid for an invoice, too: it is money that
-- came before.
paid as (
    select
        amounts.*,
        case
            when amounts.is_plan then greatest(coalesce(amounts.total, 0) + amounts.credited, 0)
            else coalesce(amounts.total, amounts.amount - amounts.discount)
        end as event_paid
    from amounts
)

select
    coalesce(o.account_id, granted.account_id) as account_id,
    format(
        'order %s %s: %s tokens and %s bonus',
        coalesce(o.order_id, granted.order_id), o.state,
        case when (o.state = 'paid') is true then o.tokens else 0 end,
        case when (o.state = 'paid') is true then o.bonus_tokens else 0 end
    ) as expected,
    format(
        'granted %s and %s in %s lots',
        coalesce(granted.tokens, 0), coalesce(granted.bonus_tokens, 0), coalesce(granted.lots, 0)
    ) || case when (granted.others > 0) is true then ', not all as ordered' else '' end as found
from credits.orders as o
full join granted on o.account_id = granted.account_id and o.order_id = granted.order_id
where
    coalesce(granted.tokens, 0) is distinct from case when (o.state = 'paid') is true then o.tokens else 0 end
    or coalesce(granted.bonus_tokens, 0)
    is distinct from case when (o.state = 'paid') is true then o.bonus_tokens else 0 end
    or granted.others > 0
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
-- A price per token may be a fraction that does not end, so a difference of a hundredth of a minor unit is allowed.
select
    amounts.account_id,
    format(
        'order %s was sold for %s less %s', amounts.order_id, amounts.amount,
        coalesce(amounts.discount::text, 'an amount that cannot be read')
    ) as expected,
    format('its tokens cost %s', trim_scale(granted.cost)) as found
from amounts
inner join granted on amounts.account_id = granted.account_id and amounts.order_id = granted.order_id
where not amounts.is_plan and (abs(granted.cost - (amounts.amount - amounts.discount)) <= 0.01) is not true
union all
-- Tax may be included in the prices or come on top of them: the event does not say which. For shipping it may be the
-- other way round than for the tokens.
select
    amounts.account_id,
    format(
        'event %s, which granted order %s, says that its tokens cost %s',
        amounts.event_id, amounts.order_id, trim_scale(granted.cost)
    ) as expected,
    format(
        '%s with %s tax and %s shipping',
        case when amounts.is_free is true then 'no payment required' else coalesce(amounts.total::text, 'no total') end,
        amounts.tax, amounts.shipping
    ) as found
from amounts
inner join granted on amounts.account_id = granted.account_id and amounts.order_id = granted.order_id
where
    not amounts.is_plan and (
        (
            not amounts.names_total
            or abs(amounts.total - amounts.shipping - granted.cost) <= 0.01
            or abs(amounts.total - amounts.shipping - amounts.tax - granted.cost) <= 0.01
            or (
                amounts.shipping > 0
                and amounts.total - amounts.shipping - granted.cost between -0.01 and amounts.tax + 0.01
            )
        ) is not true
        or (amounts.is_free and granted.cost > 0.01) is true
    )
union all
-- Finance counts what the order says was paid, in its currency.
select
    paid.account_id,
    format(
        'event %s, which granted order %s: %s %s paid', paid.event_id, paid.order_id,
        coalesce(trim_scale(paid.event_paid)::text, 'an amount that cannot be read'),
        coalesce(paid.event_currency, 'in no currency')
    ) as expected,
    format('order of %s %s', coalesce(paid.paid::text, 'no amount'), paid.currency) as found
from paid
where paid.paid is distinct from paid.event_paid or paid.currency is distinct from paid.event_currency;
comment on view audit.check_orders is
'Each paid order was granted exactly once, as ordered, and its tokens cost what its event says was paid for it.
The order says which amount was paid, and in which currency, as the event does. No lot belongs to an order that was
not paid.

A row means: an order was granted without being paid, paid and not granted, granted twice, or for another amount
or currency than its event says.

What to do: compare the order with its payment at Stripe. Give what is missing with api.replay_event, and take back
with api.void_lot what was given too much.';
