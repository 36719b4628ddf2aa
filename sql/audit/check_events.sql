-- Every Stripe event has an outcome. Every payment that an event reports was granted, or is listed for a person to
-- decide. Nothing was granted that its session or charge did not report as paid, and none that reported a payment ended
-- its order.
create or replace view audit.check_events
with (security_invoker = true)
as
with events as (
    select
        e.*,
        case e.type
            -- Checkout's own payment intents grant nothing.
            when
                'payment_intent.succeeded'
                then coalesce(e.payload #>> '{data,object,metadata,kind}', '') = 'auto_topup'
            else
                e.type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded')
                and coalesce(e.payload #>> '{data,object,payment_status}', '') in ('paid', 'no_payment_required')
                -- A session that only saved a card needs no payment.
                and coalesce(e.payload #>> '{data,object,mode}', '') <> 'setup'
                -- The invoices of a subscription report its payments.
                and coalesce(e.payload #>> '{data,object,mode}', '') <> 'subscription'
        end as says_paid,
        e.type in ('invoice.paid', 'invoice.payment_succeeded')
        and coalesce(e.payload #>> '{data,object,status}', '') = 'paid' as is_paid_invoice
    from credits.stripe_events as e
)

select
    e.account_id,
    format('event %s (%s) has an outcome', e.event_id, e.type) as expected,
    format('none since %s', credits.utc_text(e.received_at)) as found
from events as e
where e.outcome is null
union all
select
    e.account_id,
    format('object %s, paid by event %s, is granted, parked or waiting', e.object_id, e.event_id) as expected,
    format('the event is %s, order %s is %s', e.outcome, e.order_id, o.state) as found
from events as e
left join credits.orders as o on e.account_id = o.account_id and e.order_id = o.order_id
where
    e.says_paid and e.outcome is not null and e.outcome not in ('parked', 'waiting', 'unmatched', 'dismissed')
    -- It names no account.
    and (e.type <> 'payment_intent.succeeded' or e.outcome <> 'stored' or e.account_id is not null)
    and not (
        coalesce(o.state, 'missing') = 'paid'
        or exists (
            select
            from credits.stripe_events as x
            where x.object_id = e.object_id and x.outcome in ('parked', 'dismissed')
        )
    )
union all
select
    e.account_id,
    format('event %s (%s), which granted order %s, says that it is paid', e.event_id, e.type, e.order_id) as expected,
    format('payment_status %s', coalesce(e.payload #> '{data,object,payment_status}', 'null')) as found
from events as e
where e.outcome = 'granted' and not e.says_paid and not e.is_paid_invoice
union all
select
    e.account_id,
    format(
        'event %s (%s), which left order %s %s, says that nothing was paid', e.event_id, e.type, e.order_id, e.outcome
    ) as expected,
    format('payment_status %s', e.payload #> '{data,object,payment_status}') as found
from events as e
where
    e.outcome in ('processing', 'failed', 'expired')
    and coalesce(e.payload #> '{data,object,payment_status}', 'null')
    not in (
        '"unpaid"', 'null', case e.outcome when 'expired' then '"no_payment_required"' else 'null' end::jsonb
    )
union all
select
    e.account_id,
    format(
        'event %s, which granted order %s, is of %s', e.event_id, e.order_id,
        case o.kind when 'auto_topup' then o.payment_intent_id else o.checkout_session_id end
    ) as expected,
    format('%s', e.object_id) as found
from events as e
inner join credits.orders as o on e.account_id = o.account_id and e.order_id = o.order_id
where
    e.outcome = 'granted' and o.kind <> 'subscription'
    and e.object_id is distinct from case o.kind
        when 'auto_topup' then o.payment_intent_id else o.checkout_session_id
    end;
comment on view audit.check_events is
'Every Stripe event was applied, or waits for its order. Every payment that an event reports was granted or parked.
Nothing was granted unless the session or the charge of the order reported it as paid, and no order was ended that
was paid.

A row means: an event of Stripe was taken in and not dealt with, or an order was granted or ended against what its
event says.

What to do: read the event in credits.stripe_events. Apply it again with api.replay_event, or take it from the list
with api.dismiss_event and say why.';
