-- What a row of the mirror says of an object. A member that cannot be read is null.

create or replace function credits.named_order(p_object jsonb, out account_id uuid, out order_id uuid)
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_uuid constant text := '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
    v_account constant text := coalesce(p_object ->> 'client_reference_id', p_object #>> '{metadata,account_id}');
    v_order constant text := p_object #>> '{metadata,order_id}';
begin
    if (v_account ~ v_uuid) is true then
        account_id := v_account::uuid;
        order_id := case when (v_order ~ v_uuid) is true then v_order::uuid end;
    end if;
end
$$;
comment on function credits.named_order(jsonb) is
'The account and the order that an object at Stripe names, whether they exist or not. Nulls when it names none.';

create or replace function credits.is_forgotten(p_account_id uuid, p_payment_intent_id text)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return exists (
        select
        from credits.forgotten_accounts as f
        where f.account_id = p_account_id or f.account_id = (
            select o.account_id from credits.stripe_objects as o where o.object_id = p_payment_intent_id
        )
    );
end
$$;
comment on function credits.is_forgotten(uuid, text) is
'Whether an object at Stripe is about a user who was forgotten: by the account that it names, or by its payment '
'intent.';

create or replace function credits.mirror_object(p_object jsonb)
returns credits.stripe_mirror
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_row credits.stripe_mirror;
    v_named record;
begin
    v_row.object_id := credits.stripe_id(p_object -> 'id');
    v_row.kind := p_object ->> 'object';
    v_row.livemode := case coalesce(p_object -> 'livemode', 'null') when 'true' then true when 'false' then false end;
    v_row.status := case
        when (v_row.kind = 'checkout.session' and credits.says_paid(p_object)) is true
            and (coalesce(p_object -> 'status', '"complete"') = '"complete"') is true then 'paid'
        else p_object ->> 'status'
    end;
    v_row.amount := credits.signed_amount(p_object -> case coalesce(v_row.kind, '')
        when 'checkout.session' then 'amount_total'
        when 'invoice' then 'amount_paid'
        else 'amount'
    end);
    v_row.amount_back := credits.signed_amount(p_object -> 'amount_refunded');
    v_row.currency := p_object ->> 'currency';
    v_row.payment_intent_id := case
        when (v_row.kind = 'payment_intent') is true then v_row.object_id
        else credits.stripe_id(p_object -> 'payment_intent')
    end;
    v_row.charge_id := case
        when (v_row.kind = 'charge') is true then v_row.object_id
        when (v_row.kind = 'payment_intent') is true then credits.stripe_id(p_object -> 'latest_charge')
        else coalesce(credits.stripe_id(p_object -> 'charge'), credits.stripe_id(p_object -> 'source'))
    end;
    v_named := credits.named_order(p_object);
    v_row.named_account := v_named.account_id;
    v_row.named_order := v_named.order_id;
    v_row.bucket := case
        when v_row.named_account is null then credits.bucket(coalesce(v_row.object_id, ''))
        else credits.bucket_of(v_row.named_account)
    end;
    v_row.created_at := credits.stripe_time(p_object -> 'created');
    v_row.pulled_at := credits.clock();
    v_row.payload := case
        when credits.is_forgotten(v_row.named_account, v_row.payment_intent_id) then credits.without_person(p_object)
        else p_object
    end;
    return v_row;
end
$$;
comment on function credits.mirror_object(jsonb) is 'The row of the mirror for an object of a list of Stripe.';
