-- Money that a person has to decide about: it arrived, and it does not match its order, or names no order of this bank,
-- or still waits for its order. A payment that was granted since, or refunded in full, is dealt with, whichever event
-- did it.
create or replace view audit.parked
with (security_invoker = true)
as
with reported as (
    select
        e.event_id,
        e.type,
        e.outcome,
        e.received_at,
        e.account_id,
        e.order_id,
        e.object_id,
        e.payload,
        o.state as order_state,
        coalesce(
            e.trouble, e.reason, o.parked_reason,
            case when (e.outcome = 'unmatched') is true then 'it names no order of ours' end
        ) as parked_reason,
        credits.stripe_id(e.payload #> '{data,object,payment_intent}') as payment_intent_id,
        e.type in ('charge.refunded', 'charge.dispute.created') as goes_back,
        e.outcome = 'parked' or (
            e.outcome in ('waiting', 'unmatched')
            and e.type in (
                'checkout.session.completed', 'checkout.session.async_payment_succeeded',
                'checkout.session.async_payment_failed', 'checkout.session.expired'
            )
            -- Everything that does not plainly say that nothing was paid.
            and coalesce(e.payload #> '{data,object,payment_status}', 'null')
            not in (
                '"unpaid"', 'null',
                case e.type when 'checkout.session.expired' then '"no_payment_required"' else 'null' end::jsonb
            )
        ) as is_money
    from credits.stripe_events as e
    left join credits.orders as o on e.account_id = o.account_id and e.order_id = o.order_id
    where
        e.outcome in ('parked', 'waiting', 'unmatched')
        or e.type in ('charge.refunded', 'charge.dispute.created')
),

ungranted as (
    select t.*
    from reported as t
    where
        t.is_money and not exists (
            select from credits.stripe_objects as s
            where
                s.object_id = t.object_id
                and (t.order_id is null or (s.account_id = t.account_id and s.order_id = t.order_id))
        )
),

refunds as (
    select
        t.event_id,
        t.payment_intent_id
    from reported as t
    where t.type = 'charge.refunded' and t.payload #> '{data,object,refunded}' = 'true'
)

select
    t.event_id,
    t.type,
    t.outcome,
    t.received_at,
    t.account_id,
    t.order_id,
    t.order_state,
    t.parked_reason,
    t.object_id as session_id,
    t.payment_intent_id,
    t.payload #>> '{data,object,amount_subtotal}' as subtotal,
    t.payload #>> '{data,object,currency}' as currency
from ungranted as t
where
    not exists (
        select
        from refunds as r
        where r.payment_intent_id = t.payment_intent_id
    )
union all
-- Money that went back. Reversals are not booked yet: a person takes the tokens back.
select
    t.event_id,
    t.type,
    t.outcome,
    t.received_at,
    t.account_id,
    t.order_id,
    t.order_state,
    t.parked_reason,
    t.object_id as session_id,
    t.payment_intent_id,
    t.payload #>> '{data,object,amount_subtotal}' as subtotal,
    t.payload #>> '{data,object,currency}' as currency
from reported as t
where
    t.goes_back and not exists (
        select
        from refunds as r
        inner join ungranted as u on r.payment_intent_id = u.payment_intent_id
        where r.event_id = t.event_id
    );
comment on view audit.parked is
'Money that a person has to decide about: payments that do not match their order, wait for it, or name no order of '
'this bank; refunds; disputes. A payment that was granted since, or refunded in full before it was granted, is not '
'listed.';
