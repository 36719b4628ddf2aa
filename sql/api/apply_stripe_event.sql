-- A Stripe event, already verified by the door, and everything it does to the books, in one transaction.
--
--   1. Write the event down. A second copy of it waits here for the first one, then ends as a duplicate.
--   2. Find the order that its session belongs to; events that are not about a Checkout session are only stored.
--   3. Lock the wallet, and that of whoever brought this user if that is still to be rewarded; read the order again.
--   4. Move the order's state. Paid: grant its snapshot, once per order, per session and per payment intent; the first
--      time, reward whoever brought the user.
--
-- Events come twice, at once, and in any order: money that arrived wins over "failed" and "expired", and nothing
-- undoes
-- "paid".

create or replace function api.apply_stripe_event(
    event jsonb
)
returns api.event_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_type constant text := apply_stripe_event.event ->> 'type';
    v_object constant jsonb := apply_stripe_event.event #> '{data,object}';
    v_receipt api.event_receipt;
    v_order credits.orders;
begin
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may apply Stripe events');
    elsif apply_stripe_event.event ->> 'object' is distinct from 'event'
        or coalesce(length(apply_stripe_event.event ->> 'id'), 0) not between 1 and 255
        or v_type is null or jsonb_typeof(v_object) is distinct from 'object'
        or jsonb_typeof(apply_stripe_event.event -> 'livemode') is distinct from 'boolean'
        or (v_type like 'checkout.session.%' and not credits.has_ids(v_object)) then
        perform credits.fail(422, 'bad_event', 'this is not a Stripe event');
    end if;

    -- 1. Once.
    v_receipt.event_id := apply_stripe_event.event ->> 'id';
    v_receipt.type := v_type;
    insert into credits.stripe_events (event_id, type, object_id, livemode, payload)
    values (
        v_receipt.event_id, v_type, v_object ->> 'id',
        apply_stripe_event.event -> 'livemode' = 'true', apply_stripe_event.event
    )
    on conflict (event_id) do nothing;
    if not found then
        select e.order_id into v_receipt.order_id from credits.stripe_events as e where e.event_id = v_receipt.event_id;
        v_receipt.outcome := 'duplicate';
        return v_receipt;
    end if;

    -- 2–4. What it is about.
    if v_type not in (
        'checkout.session.completed', 'checkout.session.async_payment_succeeded',
        'checkout.session.async_payment_failed', 'checkout.session.expired'
    ) then
        v_receipt.outcome := 'stored';
    else
        v_order := credits.order_of_session(v_object);
        if v_order.order_id is null then
            v_receipt.outcome := 'unmatched';
        else
            v_receipt := credits.apply_session(v_order, v_type, v_object, v_receipt);
        end if;
    end if;

    update credits.stripe_events as e
    set outcome = v_receipt.outcome, account_id = v_order.account_id, order_id = v_order.order_id
    where e.event_id = v_receipt.event_id;
    return v_receipt;
end
$$;
comment on function api.apply_stripe_event(jsonb) is
'Apply a Stripe event whose signature has been verified. For services; safe to repeat, in any order.

outcome: granted, processing (paid later), failed, expired, parked (money that does not match the order, for a person),
duplicate (of an event or of a purchase), unmatched (no order of ours), stored (a type that moves nothing).
Raises PT422 bad_event, PT403 not_yours.';

create or replace function credits.has_ids(p_session jsonb)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce(jsonb_typeof(p_session -> 'id') = 'string', false)
        and length(p_session ->> 'id') between 1 and 255
        and coalesce(jsonb_typeof(p_session -> 'payment_intent'), 'null') in ('null', 'string')
        and coalesce(length(p_session ->> 'payment_intent'), 1) between 1 and 255;
end
$$;
comment on function credits.has_ids(jsonb) is 'Has this session ids that can be kept?';

create or replace function credits.order_of_session(p_session jsonb)
returns credits.orders
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_account_id text := p_session ->> 'client_reference_id';
    v_order_id text := p_session #>> '{metadata,order_id}';
    v_uuid constant text := '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
    v_order credits.orders;
begin
    if p_session ->> 'object' = 'checkout.session' and v_account_id ~ v_uuid and v_order_id ~ v_uuid then
        select o.* into v_order
        from credits.orders as o
        where o.account_id = v_account_id::uuid and o.order_id = v_order_id::uuid;
    end if;
    return v_order;
end
$$;
comment on function credits.order_of_session(jsonb) is
'The order that a Checkout session was opened for, or a row of nulls.';

create or replace function credits.apply_session(
    p_order credits.orders, p_type text, p_session jsonb, p_receipt api.event_receipt
)
returns api.event_receipt
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_receipt api.event_receipt := p_receipt;
    v_order credits.orders;
    v_session_id constant text := p_session ->> 'id';
    v_paid constant boolean := p_type = 'checkout.session.async_payment_succeeded'
    or (p_type = 'checkout.session.completed' and p_session ->> 'payment_status' in ('paid', 'no_payment_required'));
    v_discount constant jsonb := p_session #> '{total_details,amount_discount}';
    v_reason text;
begin
    -- 3. Lock the wallet, then read what the order is now.
    if v_paid then
        perform credits.lock_with_referrer(p_order.account_id);
    else
        perform credits.lock_wallet(p_order.account_id);
    end if;
    select o.* into v_order
    from credits.orders as o
    where o.account_id = p_order.account_id and o.order_id = p_order.order_id;
    v_receipt.order_id := v_order.order_id;

    -- 4a. No money (yet). A session of which the order does not know says nothing about it; nor does late news.
    if not v_paid then
        v_receipt.outcome := case p_type
            when 'checkout.session.completed' then 'processing'
            when 'checkout.session.async_payment_failed' then 'failed'
            else 'expired'
        end;
        if v_order.checkout_session_id <> v_session_id
            or v_order.state not in ('pending', 'processing')
            or (v_order.state = 'processing' and v_receipt.outcome <> 'failed') then
            v_receipt.outcome := 'duplicate';
            return v_receipt;
        end if;
        update credits.orders as o
        set
            state = v_receipt.outcome, checkout_session_id = v_session_id,
            payment_intent_id = coalesce(o.payment_intent_id, p_session ->> 'payment_intent')
        where o.account_id = v_order.account_id and o.order_id = v_order.order_id;
        return v_receipt;
    end if;

    -- 4b. Money that has been dealt with, told again under another event id.
    if (v_order.state = 'paid' and v_order.checkout_session_id = v_session_id) or exists (
        select from credits.stripe_events as e where e.object_id = v_session_id and e.outcome = 'parked'
    ) then
        v_receipt.outcome := 'duplicate';
        return v_receipt;
    end if;

    -- 4c. Money that is not what was asked for: a person must look at it, the order being paid already or not.
    v_reason := credits.payment_mismatch(v_order, p_session);
    if v_reason is not null then
        update credits.orders as o
        set state = 'parked', parked_reason = v_reason
        where o.account_id = v_order.account_id and o.order_id = v_order.order_id and o.state <> 'paid';
        v_receipt.outcome := 'parked';
        return v_receipt;
    end if;

    -- 4d. The money that was asked for.
    v_receipt.entry_id := credits.fulfil_order(v_order, v_session_id, p_session ->> 'payment_intent', v_discount);
    perform credits.settle_referral(v_order.account_id);
    v_receipt.outcome := 'granted';
    return v_receipt;
end
$$;
comment on function credits.apply_session(credits.orders, text, jsonb, api.event_receipt) is
'What an event of a Checkout session does to its order.';

create or replace function credits.payment_mismatch(p_order credits.orders, p_session jsonb)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- The subtotal: discounts and taxes are between Stripe and the customer, what was sold is not.
    return case
        when p_order.checkout_session_id <> p_session ->> 'id' then 'another session than the order''s'
        when p_session ->> 'currency' is distinct from p_order.currency
            then format('currency %s, ordered in %s', p_session ->> 'currency', p_order.currency)
        when p_session -> 'amount_subtotal' is distinct from to_jsonb(p_order.amount)
            then format('subtotal %s, ordered for %s', p_session ->> 'amount_subtotal', p_order.amount)
        when exists (
            select
            from credits.stripe_objects as s
            where s.object_id in (p_session ->> 'id', p_session ->> 'payment_intent')
        ) then 'a session or payment intent that another order was granted for'
    end;
end
$$;
comment on function credits.payment_mismatch(credits.orders, jsonb) is
'Why a payment is not the one that the order asked for; null when it is.';

create or replace function credits.fulfil_order(
    p_order credits.orders, p_session_id text, p_payment_intent_id text, p_discount jsonb
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock(p_order.account_id);
    -- What a token really cost, for margins: a discount is a number from 0 to the price, or none.
    v_paid constant numeric := p_order.amount - coalesce(least(credits.quantity(p_discount), p_order.amount), 0);
    v_lot_id bigint;
begin
    -- Two events may name one payment; the keys let it through once.
    insert into credits.stripe_objects (object_id, account_id, order_id)
    select s.object_id, p_order.account_id, p_order.order_id
    from unnest(array[p_session_id, p_payment_intent_id]) as s (object_id)
    where s.object_id is not null;

    update credits.orders as o
    set
        state = 'paid', paid_at = v_now, parked_reason = null,
        checkout_session_id = p_session_id, payment_intent_id = p_payment_intent_id
    where o.account_id = p_order.account_id and o.order_id = p_order.order_id;

    v_lot_id := credits.grant_lot(
        p_order.account_id, 'purchase', p_order.tokens, p_order.package_name,
        p_scope => p_order.scope, p_expires_at => credits.later(v_now, p_order.expires_after),
        p_unit_cost => v_paid / p_order.tokens, p_currency => p_order.currency,
        p_order_id => p_order.order_id, p_reference => p_order.order_id::text
    );
    if p_order.bonus_tokens > 0 then
        perform credits.grant_lot(
            p_order.account_id, 'bonus', p_order.bonus_tokens, p_order.package_name,
            p_scope => p_order.scope, p_expires_at => credits.later(v_now, p_order.expires_after),
            p_currency => p_order.currency, p_order_id => p_order.order_id, p_reference => p_order.order_id::text
        );
    end if;
    return p_order.account_id || ':' || v_lot_id;
end
$$;
comment on function credits.fulfil_order(credits.orders, text, text, jsonb) is
'Grants the snapshot of an order under the wallet''s lock: the tokens, then the bonus. Returns the entry of the '
'purchase.';
