-- Which objects at Stripe an event names: its own object, and the payment that this belongs to. Newer versions of the
-- API write some of them in other places than older ones. All places are read.
create or replace function credits.event_names(p_event jsonb)
returns text[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_object constant jsonb := p_event #> '{data,object}';
begin
    return array(
        select distinct n.name
        from (
            select credits.stripe_id(v_object -> m.member) as name
            from unnest(array[
                'id', 'payment_intent', 'charge', 'latest_charge', 'invoice', 'subscription', 'customer'
            ]) as m (member)
            union all
            select credits.stripe_id(v_object #> '{parent,subscription_details,subscription}')
            union all
            select credits.stripe_id(p.payment #> array['payment', m.member])
            from jsonb_path_query(v_object, 'lax $.payments.data[*]') as p (payment)
            cross join unnest(array['payment_intent', 'charge']) as m (member)
            union all
            select credits.stripe_id(v_object #> array['payment', m.member])
            from unnest(array['payment_intent', 'charge']) as m (member)
        ) as n
        where n.name is not null
        order by n.name
    );
end
$$;
comment on function credits.event_names(jsonb) is
'The ids of the objects at Stripe that an event names, sorted: its object, and the payment intent, charge, invoice, '
'subscription and customer that it belongs to.';

create or replace function credits.find_payment(
    p_names text[], out account_id uuid, out order_id uuid
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    select s.account_id, s.order_id into account_id, order_id
    from credits.stripe_objects as s
    where s.object_id = any (p_names)
    order by s.created_at, s.object_id
    limit 1;
    if order_id is null then
        -- The payment of an order that is not granted, and perhaps never will be.
        select o.account_id, o.order_id into account_id, order_id
        from credits.orders as o
        where o.payment_intent_id = any (p_names)
        order by o.created_at, o.order_id
        limit 1;
    end if;
end
$$;
comment on function credits.find_payment(text[]) is
'The order whose payment one of these Stripe objects belongs to. Nulls when no such order is known yet.';
