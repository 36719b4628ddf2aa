-- Events that a person has to decide about, and why: money that arrived and does not match its order, or names no order
-- of this bank; money that went back from a payment that the bank does not know; whatever still waits. An event that
-- was applied since, by whatever way, is dealt with, and so is one that an operator dismissed. A payment that was
-- refunded in full before it was granted is dealt with, and so are the refunds of it.
create or replace view audit.parked
with (security_invoker = true)
as
with reported as (
    select
        e.event_id,
        e.type,
        t.family,
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
        t.family <> 'session' or e.outcome = 'parked'
        -- Every session that does not plainly say that nothing was paid.
        or coalesce(e.payload #> '{data,object,payment_status}', 'null')
        not in (
            '"unpaid"', 'null',
            case e.type when 'checkout.session.expired' then '"no_payment_required"' else 'null' end::jsonb
        ) as is_money
    from credits.stripe_events as e
    inner join credits.event_types as t on e.type = t.type
    left join credits.orders as o on e.account_id = o.account_id and e.order_id = o.order_id
    where e.outcome in ('parked', 'waiting', 'unmatched')
),

-- What was refunded of each payment, as refunds and charges report it, whatever the bank made of these events.
refunds as (
    select
        r.payment_intent_id,
        greatest(coalesce(sum(r.refund), 0), coalesce(max(r.on_charge), 0)) as amount
    from (
        select
            credits.stripe_id(e.payload #> '{data,object,payment_intent}') as payment_intent_id,
            max(credits.stripe_amount(e.payload #> '{data,object,amount}')) as refund,
            max(credits.stripe_amount(e.payload #> '{data,object,amount_refunded}')) as on_charge
        from credits.stripe_events as e
        inner join credits.event_types as t on e.type = t.type
        where t.family = 'refund'
        group by e.object_id, payment_intent_id
        -- A refund counts when it has succeeded, and has not failed since.
        having
            (
                bool_or(coalesce(e.payload #>> '{data,object,status}', '') = 'succeeded' or e.type = 'charge.refunded')
                and not bool_or(coalesce(e.payload #>> '{data,object,status}', '') in ('failed', 'canceled'))
            ) is true
    ) as r
    where r.payment_intent_id is not null
    group by r.payment_intent_id
),

ungranted as (
    select t.*
    from reported as t
    where
        t.family = 'session' and t.is_money and not exists (
            select from credits.stripe_objects as s
            where
                s.object_id = t.object_id
                and (t.order_id is null or (s.account_id = t.account_id and s.order_id = t.order_id))
        )
),

returned as (
    select
        u.event_id,
        u.payment_intent_id
    from ungranted as u
    inner join refunds as r on u.payment_intent_id = r.payment_intent_id
    where r.amount >= credits.stripe_amount(u.payload #> '{data,object,amount_total}')
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
    t.object_id,
    t.payment_intent_id,
    coalesce(t.payload #>> '{data,object,amount_subtotal}', t.payload #>> '{data,object,amount}') as amount,
    t.payload #>> '{data,object,currency}' as currency
from reported as t
where
    case
        when (t.family = 'session') is true
            then
                t.event_id in (select u.event_id from ungranted as u)
                and t.event_id not in (select r.event_id from returned as r)
        else t.payment_intent_id is null or t.payment_intent_id not in (select r.payment_intent_id from returned as r)
    end;
comment on view audit.parked is
'Events that a person has to decide about, each with the reason: payments that do not match their order, or name no '
'order of this bank; refunds and disputes of payments that it does not know; whatever still waits. An event that was'
' applied or dismissed since is not listed, nor is a payment that was refunded in full before it was granted. '
'api.replay_event applies an event again; api.dismiss_event takes it from the list.';
