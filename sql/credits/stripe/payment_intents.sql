-- Events about payment intents and setup intents. Only the payment intents of automatic top-ups grant anything: those
-- of Checkout are granted by their sessions. Both kinds of intent can save a card for automatic top-ups.

create or replace function credits.find_intent(
    p_event credits.stripe_events, out account_id uuid, out order_id uuid
)
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_metadata constant jsonb := p_event.payload #> '{data,object,metadata}';
    v_account constant text := v_metadata ->> 'account_id';
    v_order constant text := v_metadata ->> 'order_id';
    v_uuid constant text := '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
begin
    if (v_account ~ v_uuid) is true then
        account_id := v_account::uuid;
        order_id := case when (v_order ~ v_uuid) is true then v_order::uuid end;
    end if;
end
$$;
comment on function credits.find_intent(credits.stripe_events) is
'The account and the order that the metadata of a payment intent or setup intent name. Nulls when they name none.';

create or replace function credits.saved_card(p_event credits.stripe_events)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_intent constant jsonb := p_event.payload #> '{data,object}';
    v_consent constant text := v_intent #>> '{metadata,consent_id}';
begin
    if (
        v_consent ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
        and v_intent -> 'status' = '"succeeded"'
        and case
            when (v_intent ->> 'object' = 'setup_intent') is true then v_intent ->> 'usage'
            else v_intent ->> 'setup_future_usage'
        end = 'off_session'
    ) is not true then
        return 'stored';
    end if;
    return credits.note_card(
        p_event.account_id, v_consent::uuid, credits.stripe_id(v_intent -> 'customer'),
        credits.stripe_id(v_intent -> 'payment_method')
    );
end
$$;
comment on function credits.saved_card(credits.stripe_events) is
'Records the card that an intent saved for automatic top-ups, if it did. Returns the outcome.';

create or replace function credits.intent_problem(p_order credits.orders, p_event credits.stripe_events)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_intent constant jsonb := p_event.payload #> '{data,object}';
begin
    return left(case
        when p_event.object_id is null then 'a payment intent without an id that can be kept'
        when p_order.kind <> 'auto_topup' then 'it names an order that is not an automatic top-up'
        when p_order.state = 'paid' then 'another payment of an order that is paid'
        when v_intent -> 'status' is distinct from '"succeeded"'
            then format('status %s in %s', v_intent ->> 'status', p_event.type)
        when (coalesce(v_intent -> 'livemode', 'null') in (to_jsonb(p_event.livemode), 'null')) is not true
            then format('livemode %s in an event of livemode %s', v_intent ->> 'livemode', p_event.livemode)
        when v_intent -> 'currency' is distinct from to_jsonb(p_order.currency)
            then format('currency %s, ordered in %s', v_intent ->> 'currency', p_order.currency)
        when v_intent -> 'amount_received' is distinct from to_jsonb(p_order.amount)
            then format('%s received, ordered for %s', v_intent ->> 'amount_received', p_order.amount)
        when exists (
            select from credits.stripe_objects as s where s.object_id = p_event.object_id
        ) then 'a payment intent that another order was granted for'
    end, 200);
end
$$;
comment on function credits.intent_problem(credits.orders, credits.stripe_events) is
'Why a charge does not match its order. Null when it does.';

create or replace function credits.apply_intent(
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
    v_intent constant jsonb := p_event.payload #> '{data,object}';
    v_type constant text not null := p_event.type;
    v_order credits.orders;
begin
    -- 1. A payment of Checkout, or a card that was saved without a payment.
    if (v_intent #>> '{metadata,kind}' = 'auto_topup') is not true then
        outcome := case
            when v_type in ('payment_intent.succeeded', 'setup_intent.succeeded') then credits.saved_card(p_event)
            else 'stored'
        end;
        return;
    end if;
    select o.* into v_order
    from credits.orders as o
    where o.account_id = p_event.account_id and o.order_id = p_event.order_id;
    if not found then
        outcome := 'waiting';
        reason := 'its order is not there yet';
        return;
    end if;

    -- 2. The payment was granted before. Nothing undoes that.
    if (v_order.state = 'paid' and v_order.payment_intent_id = p_event.object_id) is true then
        outcome := 'duplicate';
        return;
    end if;

    -- 3. The charge failed. Money that arrives later still counts.
    if v_type <> 'payment_intent.succeeded' then
        outcome := credits.fail_intent(v_order, p_event);
        return;
    end if;

    -- 4. Money that does not match the order, or a user who was forgotten: a person must look at it.
    reason := coalesce(credits.intent_problem(v_order, p_event), credits.nobody_to_grant(p_event.account_id));
    if reason is not null then
        outcome := credits.park_intent(v_order, p_event, reason);
        return;
    end if;

    -- 5. The money matches the order.
    outcome := 'granted';
    entry_id := credits.fulfil_order(
        v_order, array[p_event.object_id, credits.stripe_id(v_intent -> 'latest_charge')], v_order.amount, 0,
        credits.event_time(p_event)
    );
    perform credits.succeed_attempt(
        v_order.account_id, v_order.order_id, p_event.object_id, credits.clock(v_order.account_id)
    );
end
$$;
comment on function credits.apply_intent(credits.stripe_events) is
'Does what an event of a payment intent or setup intent says. The caller holds the locks of '
'credits.lock_with_referrer.';

create or replace function credits.fail_intent(p_order credits.orders, p_event credits.stripe_events)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_error constant jsonb := p_event.payload #> '{data,object,last_payment_error}';
    v_attempt credits.topup_attempts;
begin
    select a.* into v_attempt
    from credits.topup_attempts as a
    where a.account_id = p_order.account_id and a.order_id = p_order.order_id;
    update credits.topup_attempts as a
    set payment_intent_id = coalesce(a.payment_intent_id, p_event.object_id)
    where a.account_id = v_attempt.account_id and a.attempt_id = v_attempt.attempt_id;
    update credits.orders as o
    set payment_intent_id = coalesce(o.payment_intent_id, p_event.object_id)
    where o.account_id = p_order.account_id and o.order_id = p_order.order_id and o.kind = 'auto_topup';
    if v_attempt.attempt_id is null or credits.end_attempt(
        v_attempt,
        case
            when p_event.type is not distinct from 'payment_intent.canceled' then 'canceled'
            when credits.asks_for_authentication(v_error) then 'authentication_required'
            else 'declined'
        end,
        coalesce(credits.decline_reason(v_error), 'canceled'), credits.clock(p_order.account_id)
    ) is not true then
        return 'duplicate';
    end if;
    return 'failed';
end
$$;
comment on function credits.fail_intent(credits.orders, credits.stripe_events) is
'Ends the attempt whose charge failed or was canceled, if it has not ended. Returns the outcome.';

create or replace function credits.park_intent(p_order credits.orders, p_event credits.stripe_events, p_reason text)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_attempt credits.topup_attempts;
begin
    update credits.orders as o
    set
        state = 'parked', parked_reason = p_reason,
        payment_intent_id = coalesce(o.payment_intent_id, p_event.object_id)
    where
        o.account_id = p_order.account_id and o.order_id = p_order.order_id and o.kind = 'auto_topup'
        and o.state <> 'paid';
    -- Nothing more is charged until somebody knows what happened.
    select a.* into v_attempt
    from credits.topup_attempts as a
    where a.account_id = p_order.account_id and a.order_id = p_order.order_id;
    if found then
        perform credits.pause_topup(p_order.account_id, 'under_review', v_attempt.attempt_id);
        perform credits.end_attempt(v_attempt, 'failed', 'under_review', credits.clock(p_order.account_id));
    end if;
    return credits.parked_or_duplicate(p_event);
end
$$;
comment on function credits.park_intent(credits.orders, credits.stripe_events, text) is
'Keeps an event whose money does not match its order for a person, and its order with it. Returns the outcome.';
