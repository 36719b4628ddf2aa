-- What an event says about a Checkout session. A member may be missing, null, or of any type: what is not plainly said
-- is taken as not said.

create or replace function credits.says_paid(p_session jsonb)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (p_session -> 'payment_status' in ('"paid"', '"no_payment_required"')) is true;
end
$$;
comment on function credits.says_paid(jsonb) is
'Whether a Checkout session says that it is paid. Never null: a session that does not say so is not paid.';

create or replace function credits.order_of_session(
    p_session jsonb,
    out account_id uuid,
    out order_id uuid
)
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_account constant text := p_session ->> 'client_reference_id';
    v_order constant text := p_session #>> '{metadata,order_id}';
    v_uuid constant text := '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
begin
    if (p_session ->> 'object' = 'checkout.session' and v_account ~ v_uuid and v_order ~ v_uuid) is true then
        account_id := v_account::uuid;
        order_id := v_order::uuid;
    end if;
end
$$;
comment on function credits.order_of_session(jsonb) is
'The order that a Checkout session names, whether it exists or not. Nulls when it names none.';

create or replace function credits.session_contradiction(p_event credits.stripe_events)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_session constant jsonb := p_event.payload #> '{data,object}';
    v_paid constant jsonb := coalesce(v_session -> 'payment_status', 'null');
    v_status constant jsonb := coalesce(v_session -> 'status', 'null');
    v_type constant text not null := p_event.type;
begin
    return left(case
        -- A session that completes without saying anything about its payment is treated as not paid yet.
        when (v_paid = any (case v_type
            when 'checkout.session.completed' then array['"paid"', '"no_payment_required"', '"unpaid"', 'null']
            when 'checkout.session.async_payment_succeeded' then array['"paid"']
            when 'checkout.session.async_payment_failed' then array['"unpaid"', 'null']
            when 'checkout.session.expired' then array['"unpaid"', '"no_payment_required"', 'null']
        end::jsonb[])) is not true
            then format('%s with payment_status %s', v_type, v_paid #>> '{}')
        -- Older events lack these three. A session that the bank opened says what was asked for, or nothing.
        when v_status not in (
            case v_type when 'checkout.session.expired' then '"expired"' else '"complete"' end::jsonb, 'null'
        ) then format('status %s in %s', v_status #>> '{}', v_type)
        when coalesce(v_session -> 'mode', 'null') not in ('"payment"', 'null') then format('mode %s', v_session ->> 'mode')
        when (coalesce(v_session -> 'livemode', 'null') in (to_jsonb(p_event.livemode), 'null')) is not true
            then format('livemode %s in an event of livemode %s', v_session ->> 'livemode', p_event.livemode)
        when coalesce(v_session -> 'payment_intent', 'null') <> 'null'
            and credits.stripe_id(v_session -> 'payment_intent') is null
            then 'a payment intent without an id that can be kept'
    end, 200);
end
$$;
comment on function credits.session_contradiction(credits.stripe_events) is
'What the session in an event says that contradicts the type of the event. Null when nothing does.';

create or replace function credits.payment_mismatch(p_order credits.orders, p_event credits.stripe_events)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_session constant jsonb := p_event.payload #> '{data,object}';
    v_payment_intent_id constant text := credits.stripe_id(v_session -> 'payment_intent');
    v_money constant text := credits.money_problem(v_session, p_order.amount);
begin
    return left(case
        when p_event.object_id is null then 'a session without an id that can be kept'
        when p_order.checkout_session_id is distinct from p_event.object_id then 'another session than the order''s'
        -- This includes sessions whose buyer paid in another currency, as Stripe described them until March 2025: they
        -- do not say what discount, tax and shipping were in the currency of the order. Newer sessions keep that
        -- currency.
        when v_session -> 'currency' is distinct from to_jsonb(p_order.currency)
            then format('currency %s, ordered in %s', v_session ->> 'currency', p_order.currency)
            || case when (jsonb_typeof(v_session -> 'currency_conversion') = 'object') is true
                then format(
                    ', converted from %s %s', v_session #>> '{currency_conversion,amount_total}',
                    v_session #>> '{currency_conversion,source_currency}'
                )
                else ''
            end
        when v_money is not null then v_money
        when exists (
            select from credits.stripe_objects as s where s.object_id in (p_event.object_id, v_payment_intent_id)
        ) then 'a session or payment intent that another order was granted for'
    end, 200);
end
$$;
comment on function credits.payment_mismatch(credits.orders, credits.stripe_events) is
'Why a payment does not match its order. Null when it does.';
