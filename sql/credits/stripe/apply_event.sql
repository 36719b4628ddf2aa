-- What a stored Stripe event does. It is applied when it arrives, and again as long as it waits. Events move orders in
-- no other way.
--
--   Locks: the event's row, then the identity and the wallets of credits.lock_with_referrer. Callers that already hold
--   these (api.attach_checkout, api.maintain) skip an event that somebody else is applying, and never wait for it.
create or replace function credits.apply_event(p_event_id text)
returns api.event_receipt
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_event credits.stripe_events;
    v_receipt api.event_receipt;
    v_order credits.orders;
    v_result record;
begin
    select e.* into v_event from credits.stripe_events as e where e.event_id = p_event_id for no key update;
    v_receipt := row(v_event.event_id, v_event.type, 'waiting', null, null);
    v_event.reason := null;

    -- 1. What is the event about?
    if (v_event.type in (
        'checkout.session.completed', 'checkout.session.async_payment_succeeded',
        'checkout.session.async_payment_failed', 'checkout.session.expired'
    )) is not true then
        v_receipt.outcome := 'stored';
    else
        select s.account_id, s.order_id into v_event.account_id, v_event.order_id
        from credits.order_of_session(v_event.payload #> '{data,object}') as s;
        if v_event.order_id is null then
            v_receipt.outcome := 'unmatched';
        else
            select o.* into v_order
            from credits.orders as o
            where o.account_id = v_event.account_id and o.order_id = v_event.order_id;
            v_receipt.order_id := v_order.order_id;
        end if;
    end if;

    -- 2. Lock its order, then read it as it is now. An order that cannot be seen may still be in an open transaction.
    if v_receipt.order_id is not null then
        perform credits.lock_with_referrer(v_order.account_id);
        select o.* into v_order
        from credits.orders as o
        where o.account_id = v_order.account_id and o.order_id = v_order.order_id;
        v_result := credits.apply_session(v_order, v_event);
        v_receipt.outcome := v_result.outcome;
        v_receipt.entry_id := v_result.entry_id;
        v_event.reason := v_result.reason;
    elsif v_receipt.outcome is not distinct from 'waiting' then
        v_event.reason := 'its order is not there yet';
    end if;

    update credits.stripe_events as e
    set
        outcome = v_receipt.outcome, reason = v_event.reason, trouble = null,
        account_id = v_event.account_id, order_id = v_event.order_id
    where e.event_id = p_event_id;
    return v_receipt;
end
$$;
comment on function credits.apply_event(text) is
'Does what a stored event asks for, and records its outcome. Safe to repeat while the outcome is waiting or parked.';
