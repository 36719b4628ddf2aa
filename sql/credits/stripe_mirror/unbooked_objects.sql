-- Objects at Stripe that say something that the books do not say. What was parked for a person, or dismissed by one, is
-- not among them: audit.parked has it.
create or replace view credits.unbooked_objects
with (security_invoker = true)
as
with objects as (
    select
        m.object_id,
        m.kind,
        m.status,
        m.named_account as account_id,
        m.named_order as order_id,
        m.created_at,
        m.payment_intent_id,
        m.charge_id,
        m.payload
    from credits.stripe_mirror as m
    where
        m.kind in ('checkout.session', 'payment_intent', 'invoice', 'refund', 'dispute')
        and not exists (
            select
            from credits.stripe_events as e
            where e.object_id = m.object_id and e.outcome in ('parked', 'dismissed')
        )
),

-- Refunds and disputes name a payment, which belongs to an order.
reversals as (
    select
        x.object_id,
        x.kind,
        x.status,
        x.created_at,
        p.account_id,
        p.order_id,
        (
            select count(*)
            from jsonb_path_query(x.payload, 'lax $.balance_transactions[*]') as t (movement)
            where credits.signed_amount(t.movement -> 'amount') < 0
        ) as withdrawals,
        (
            select count(*)
            from jsonb_path_query(x.payload, 'lax $.balance_transactions[*]') as t (movement)
            where credits.signed_amount(t.movement -> 'amount') > 0
        ) as reinstatements
    from objects as x
    cross join
        lateral (
            select
                s.account_id,
                s.order_id
            from credits.stripe_objects as s
            where s.object_id in (x.payment_intent_id, x.charge_id)
            order by s.object_id
            limit 1
        ) as p
    where x.kind in ('refund', 'dispute')
)

-- Payments without a grant. A payment intent of Checkout is granted by its session.
select
    x.object_id,
    x.kind,
    x.account_id,
    x.order_id,
    x.created_at,
    format(
        case x.kind
            when 'payment_intent' then 'payment %s, an automatic top-up, has granted order %s'
            else 'session %s, which is paid, has granted order %s'
        end, x.object_id, x.order_id
    ) as expected,
    case when o.order_id is null then 'no such order' else format('the order is %s', o.state) end as found
from objects as x
left join credits.orders as o on x.account_id = o.account_id and x.order_id = o.order_id
where
    (
        (x.kind = 'checkout.session' and x.status = 'paid' and coalesce(x.payload ->> 'mode', 'payment') = 'payment')
        or (
            x.kind = 'payment_intent' and x.status = 'succeeded'
            and x.payload #> '{metadata,attempt_id}' is not null
        )
    )
    and x.order_id is not null
    and not exists (
        select from credits.stripe_objects as s
        where s.object_id = x.object_id
    )
    and o.state is distinct from 'paid'
union all
select
    x.object_id,
    x.kind,
    a.account_id,
    i.order_id,
    x.created_at,
    format('invoice %s of a subscription, which is paid, is booked', x.object_id) as expected,
    coalesce('it is ' || i.state, 'the bank has not heard of it') as found
from objects as x
inner join credits.accounts as a on x.payload ->> 'customer' = a.stripe_customer_id
left join credits.subscription_invoices as i on a.account_id = i.account_id and x.object_id = i.invoice_id
where
    x.kind = 'invoice' and x.status = 'paid'
    -- Older versions of the API have it in another place.
    and coalesce(x.payload #>> '{parent,subscription_details,subscription}', x.payload ->> 'subscription') is not null
    and i.state is distinct from 'paid'
union all
select
    x.object_id,
    x.kind,
    x.account_id,
    x.order_id,
    x.created_at,
    format('order %s has ended with its session %s', x.order_id, x.object_id) as expected,
    format('the order is %s', o.state) as found
from objects as x
inner join credits.orders as o on x.account_id = o.account_id and x.order_id = o.order_id
where
    x.kind = 'checkout.session' and x.status = 'expired' and o.checkout_session_id = x.object_id
    and o.state in ('pending', 'processing')
union all
select
    x.object_id,
    x.kind,
    x.account_id,
    x.order_id,
    x.created_at,
    format(
        '%s %s of order %s is %s', x.kind, x.object_id, x.order_id,
        x.status || case
            when (x.withdrawals > 0) is true
                then format(', money withdrawn %s and reinstated %s times', x.withdrawals, x.reinstatements)
            else ''
        end
    ) as expected,
    coalesce(
        r.status || case
            when (r.withdrawals > 0) is true
                then format(', withdrawn %s and reinstated %s times', r.withdrawals, r.reinstatements)
            else ''
        end,
        'the bank has not heard of it'
    ) as found
from reversals as x
left join credits.reversals as r on x.account_id = r.account_id and x.object_id = r.reversal_id
where
    r.reversal_id is null
    or credits.reversal_rank(r.status) < credits.reversal_rank(x.status)
    or r.withdrawals < x.withdrawals
    or r.reinstatements < x.reinstatements;
comment on view credits.unbooked_objects is
'Objects at Stripe, as the last reading has them, that the books do not agree with, and that an event about them would '
'settle: paid sessions, automatic top-ups and invoices without a grant, ended sessions, refunds and disputes.';
