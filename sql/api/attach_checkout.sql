-- Stripe has made a Checkout session for an order, and perhaps a customer. An account has only one customer. From now
-- on only this session moves the order. Events of this session that came before are applied here.
create or replace function api.attach_checkout(
    account_id uuid,
    order_id uuid,
    session_id text,
    customer_id text default null,
    replaces_customer_id text default null
)
returns api.order_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_order credits.orders;
begin
    perform credits.require_service('may attach a checkout');
    if not credits.is_name(attach_checkout.session_id, 255)
        or attach_checkout.customer_id is not null and not credits.is_name(attach_checkout.customer_id, 255) then
        perform credits.fail(
            422, 'bad_order', 'the ids of a session and a customer must have 1 to 255 characters, none invisible'
        );
    end if;
    -- Take the locks of a payment, because its event may have come already.
    perform credits.lock_with_referrer(attach_checkout.account_id);

    perform credits.note_customer(
        attach_checkout.account_id, attach_checkout.customer_id, attach_checkout.replaces_customer_id
    );
    v_order := credits.find_order(attach_checkout.account_id, attach_checkout.order_id);
    if v_order.checkout_session_id is distinct from attach_checkout.session_id then
        if v_order.checkout_session_id is not null or v_order.state <> 'pending' then
            perform credits.fail(
                409, 'order_closed', 'this order already has a checkout, or is closed',
                json_build_object('state', v_order.state)
            );
        elsif credits.has_lapsed(v_order) then
            perform credits.fail(
                409, 'order_closed', 'this order is an hour old, or what it orders is no longer sold like this',
                json_build_object('state', 'expired')
            );
        elsif exists (
            select from credits.orders as o where o.checkout_session_id = attach_checkout.session_id
        ) then
            perform credits.fail(
                409, 'order_closed', 'this checkout belongs to another order',
                json_build_object('state', v_order.state)
            );
        end if;
        update credits.orders as o
        set checkout_session_id = attach_checkout.session_id
        where o.account_id = attach_checkout.account_id and o.order_id = attach_checkout.order_id;
    end if;
    perform credits.apply_waiting(attach_checkout.account_id, attach_checkout.order_id);
    return credits.order_receipt(credits.find_order(attach_checkout.account_id, attach_checkout.order_id));
end
$$;
comment on function api.attach_checkout(uuid, uuid, text, text, text) is
'Record the Stripe Checkout session of an order, and the Stripe customer of the account. For services.

Only the events of this session move the order. This call applies those that came before it.
The first customer stays, unless replaces_customer_id says that it no longer exists. An order that got no checkout
within an hour, or is no longer sold as it was, cannot get one any more: end the session then. A session belongs to one
order.
Raises PT404 unknown_order or unknown_user, PT409 order_closed (state), PT422 bad_order, PT403 not_yours.';
