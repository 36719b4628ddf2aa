-- What an event about a Checkout session does to its order.
create or replace function credits.apply_session(
    p_order credits.orders,
    p_event credits.stripe_events,
    out outcome text,
    out reason text,
    out entry_id text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_session constant jsonb := p_event.payload #> '{data,object}';
    v_type constant text not null := p_event.type;
    v_own constant boolean not null := (p_order.checkout_session_id = p_event.object_id) is true;
begin
    -- 1. Until attach_checkout has named the session of the order, nobody knows whether this is the one.
    if p_order.checkout_session_id is null then
        outcome := 'waiting';
        reason := 'its order has no session yet';
        return;
    end if;

    -- 2. The payment was granted before: this event reports it again under another id, or comes late.
    if (p_order.state = 'paid' and v_own) is true then
        outcome := 'duplicate';
        return;
    end if;

    -- 3. Nothing was paid, or not yet. An event of another session, or a late one, changes nothing.
    reason := credits.session_contradiction(p_event);
    if reason is null and (
        v_type in ('checkout.session.async_payment_failed', 'checkout.session.expired')
        or credits.says_paid(v_session) is not true
    ) then
        outcome := case v_type
            when 'checkout.session.completed' then 'processing'
            when 'checkout.session.async_payment_failed' then 'failed'
            else 'expired'
        end;
        if (
            v_own and (p_order.state = 'pending' or (p_order.state = 'processing' and outcome in ('failed', 'expired')))
        ) is not true then
            outcome := 'duplicate';
            return;
        end if;
        update credits.orders as o
        set
            state = outcome,
            payment_intent_id = coalesce(o.payment_intent_id, credits.stripe_id(v_session -> 'payment_intent'))
        where o.account_id = p_order.account_id and o.order_id = p_order.order_id;
        return;
    end if;

    -- 4. An event that contradicts itself, or money that does not match the order: a person must look at it, even if
    --    the order is already paid.
    reason := coalesce(reason, credits.payment_mismatch(p_order, p_event));
    if reason is not null then
        outcome := case
            when exists (
                select
                from credits.stripe_events as e
                where e.object_id = p_event.object_id and e.outcome = 'parked'
                    and e.event_id is distinct from p_event.event_id
            ) then 'duplicate'
            else 'parked'
        end;
        update credits.orders as o
        set state = 'parked', parked_reason = apply_session.reason
        where v_own and o.account_id = p_order.account_id and o.order_id = p_order.order_id and o.state <> 'paid';
        return;
    end if;

    -- 5. The money matches the order.
    outcome := 'granted';
    entry_id := credits.fulfil_order(
        p_order, p_event.object_id, credits.stripe_id(v_session -> 'payment_intent'),
        credits.session_discount(v_session)
    );
    perform credits.settle_referral(p_order.account_id);
end
$$;
comment on function credits.apply_session(credits.orders, credits.stripe_events) is
'Does what an event of a Checkout session says to the order that it names. The caller holds the locks of '
'credits.lock_with_referrer.';
