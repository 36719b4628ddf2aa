-- Events about Checkout sessions: what they do to the order that the session names.

create or replace function credits.find_session(
    p_event credits.stripe_events, out account_id uuid, out order_id uuid
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    select s.account_id, s.order_id into account_id, order_id
    from credits.order_of_session(p_event.payload #> '{data,object}') as s;
    if account_id is null then
        -- A subscription has no order yet: its invoices will make them.
        account_id := credits.account_of_checkout(p_event.payload #> '{data,object}');
    end if;
end
$$;
comment on function credits.find_session(credits.stripe_events) is
'The order that the session of an event names, whether it exists or not. Nulls when it names none.';

create or replace function credits.account_of_checkout(p_session jsonb)
returns uuid
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_account constant text := p_session ->> 'client_reference_id';
begin
    return case
        when (
            p_session ->> 'object' = 'checkout.session' and p_session ->> 'mode' = 'subscription'
            and p_session #>> '{metadata,account_id}' = v_account
            and v_account ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        ) is true
            then (select a.account_id from credits.accounts as a where a.account_id = v_account::uuid)
    end;
end
$$;
comment on function credits.account_of_checkout(jsonb) is
'The account for which the HTTP API opened a Checkout session in subscription mode. Null for another session.';

create or replace function credits.apply_session(
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
    v_order credits.orders;
    v_own boolean not null := false;
begin
    if p_event.order_id is null then
        outcome := 'stored';
        reason := 'a checkout of a plan: its invoice grants the period';
        return;
    end if;

    -- 1. An order that cannot be seen may still be in an open transaction. Until attach_checkout has named the session
    --    of the order, nobody knows whether this is the one.
    select o.* into v_order
    from credits.orders as o
    where o.account_id = p_event.account_id and o.order_id = p_event.order_id;
    if v_order.checkout_session_id is null then
        outcome := 'waiting';
        reason := case
            when v_order.order_id is null then 'its order is not there yet'
            else 'its order has no session yet'
        end;
        return;
    end if;
    v_own := (v_order.checkout_session_id = p_event.object_id) is true;

    -- 2. The payment was granted before: this event reports it again under another id, or comes late. But it may say
    --    that the payment has failed since.
    if (v_order.state = 'paid' and v_own) is true then
        outcome := case
            when v_type = 'checkout.session.async_payment_failed' then credits.note_failed_payment(v_order, p_event)
            else credits.note_later_success(v_order, p_event)
        end;
        return;
    end if;

    -- 3. Nothing was paid, or not yet. An event of another session, or a late one, changes nothing.
    reason := credits.session_contradiction(p_event);
    if reason is null and (
        v_type in ('checkout.session.async_payment_failed', 'checkout.session.expired')
        or credits.says_paid(v_session) is not true
    ) then
        outcome := credits.end_session_order(v_order, p_event, v_own);
        return;
    end if;

    -- 4. An event that contradicts itself, money that does not match the order, or a user who was forgotten: a person
    --    must look at it, even if the order is already paid.
    reason := coalesce(
        reason, credits.payment_mismatch(v_order, p_event), credits.nobody_to_grant(p_event.account_id)
    );
    if reason is not null then
        outcome := credits.park_session(v_order, p_event, v_own, reason);
        return;
    end if;

    -- 5. The money matches the order.
    outcome := 'granted';
    entry_id := credits.fulfil_order(
        v_order, array[p_event.object_id, credits.stripe_id(v_session -> 'payment_intent')],
        coalesce(
            credits.stripe_amount(v_session -> 'amount_total'), v_order.amount - credits.session_discount(v_session)
        )::bigint,
        credits.session_discount(v_session), credits.event_time(p_event)
    );
    -- The news that the payment failed later may have come first.
    perform credits.note_failed_payment(o, e)
    from credits.orders as o
    join credits.stripe_events as e on o.account_id = e.account_id and o.order_id = e.order_id
    where
        o.account_id = p_event.account_id and o.order_id = p_event.order_id and e.object_id = p_event.object_id
        and e.type = 'checkout.session.async_payment_failed' and e.outcome in ('failed', 'duplicate');
end
$$;
comment on function credits.apply_session(credits.stripe_events) is
'Does what an event of a Checkout session says to the order that it names. The caller holds the locks of '
'credits.lock_with_referrer.';

create or replace function credits.end_session_order(
    p_order credits.orders, p_event credits.stripe_events, p_own boolean
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_outcome constant text not null := case
        when (p_event.type = 'checkout.session.completed') is true then 'processing'
        when (p_event.type = 'checkout.session.async_payment_failed') is true then 'failed'
        else 'expired'
    end;
begin
    if (
        p_own and (
            p_order.state = 'pending' or (p_order.state = 'processing' and v_outcome in ('failed', 'expired'))
        )
    ) is not true then
        return 'duplicate';
    end if;
    update credits.orders as o
    set
        state = v_outcome,
        payment_intent_id = coalesce(
            o.payment_intent_id, credits.stripe_id(p_event.payload #> '{data,object,payment_intent}')
        )
    where o.account_id = p_order.account_id and o.order_id = p_order.order_id;
    return v_outcome;
end
$$;
comment on function credits.end_session_order(credits.orders, credits.stripe_events, boolean) is
'Moves an order whose session says that nothing was paid, or not yet. p_own: the session is the order''s. Returns the '
'outcome.';

create or replace function credits.park_session(
    p_order credits.orders, p_event credits.stripe_events, p_own boolean, p_reason text
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.orders as o
    set
        state = 'parked', parked_reason = p_reason,
        payment_intent_id = coalesce(
            o.payment_intent_id, credits.stripe_id(p_event.payload #> '{data,object,payment_intent}')
        )
    where p_own and o.account_id = p_order.account_id and o.order_id = p_order.order_id and o.state <> 'paid';
    return credits.parked_or_duplicate(p_event);
end
$$;
comment on function credits.park_session(credits.orders, credits.stripe_events, boolean, text) is
'Keeps an event whose money does not match its order for a person, and its order with it. p_own: the session is the '
'order''s. Returns the outcome.';

-- A payment by bank debit may fail after it succeeded. Only Stripe's clock can tell which of the two came last.

create or replace function credits.note_failed_payment(p_order credits.orders, p_event credits.stripe_events)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if (credits.event_time(p_event) > p_order.succeeded_at) is not true or not credits.note_reversal(
        p_event, p_event.object_id, 'failed_payment', p_order.paid, 'failed'
    ) then
        return 'duplicate';
    end if;
    perform credits.settle_order(p_order.account_id, p_order.order_id);
    return 'applied';
end
$$;
comment on function credits.note_failed_payment(credits.orders, credits.stripe_events) is
'Takes back what a paid order granted, if its payment failed after it had succeeded. Returns the outcome.';

create or replace function credits.note_later_success(p_order credits.orders, p_event credits.stripe_events)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.orders as o
    set succeeded_at = credits.event_time(p_event)
    where
        o.account_id = p_order.account_id and o.order_id = p_order.order_id
        and p_event.type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded')
        and credits.says_paid(p_event.payload #> '{data,object}')
        and o.succeeded_at < credits.event_time(p_event);
    if found then
        perform credits.settle_order(p_order.account_id, p_order.order_id);
    end if;
    return 'duplicate';
end
$$;
comment on function credits.note_later_success(credits.orders, credits.stripe_events) is
'Another event reports that an order was paid. If it is newer, the payment has not failed before it. Returns the '
'outcome, which is always duplicate.';
