-- Money that needs a person: it came, and it is not what was ordered, or nothing of ours was.
create or replace view audit.parked
with (security_invoker = true)
as
select
    e.event_id,
    e.type,
    e.outcome,
    e.received_at,
    e.account_id,
    e.order_id,
    o.state as order_state,
    o.parked_reason,
    e.object_id as session_id,
    e.payload #>> '{data,object,payment_intent}' as payment_intent_id,
    e.payload #>> '{data,object,amount_subtotal}' as subtotal,
    e.payload #>> '{data,object,currency}' as currency
from credits.stripe_events as e
left join credits.orders as o on e.account_id = o.account_id and e.order_id = o.order_id
where
    e.outcome = 'parked'
    -- Money that went back: until reversals are booked, a person takes the tokens back.
    or e.type in ('charge.refunded', 'charge.dispute.created')
    or (
        e.outcome = 'unmatched'
        and e.payload #>> '{data,object,payment_status}' in ('paid', 'no_payment_required')
    );
comment on view audit.parked is
'Money for a person to decide on: payments that do not match their order or no order of ours, refunds, disputes.';
