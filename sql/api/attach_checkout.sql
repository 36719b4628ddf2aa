-- What Stripe made for an order: its Checkout session, and the customer, of whom an account has one.
create or replace function api.attach_checkout(
    account_id uuid,
    order_id uuid,
    session_id text,
    customer_id text default null
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
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may attach a checkout');
    end if;
    perform credits.lock_wallet(attach_checkout.account_id, p_settle => false);

    update credits.accounts as a
    set stripe_customer_id = attach_checkout.customer_id
    where
        a.account_id = attach_checkout.account_id and a.stripe_customer_id is null
        and attach_checkout.customer_id is not null;

    select o.* into v_order
    from credits.orders as o
    where o.account_id = attach_checkout.account_id and o.order_id = attach_checkout.order_id;
    if not found then
        perform credits.fail(404, 'unknown_order', 'no such order');
    elsif v_order.checkout_session_id is distinct from attach_checkout.session_id then
        -- A payment that was quicker than this call has written the session already.
        if v_order.checkout_session_id is not null or v_order.state <> 'pending' then
            perform credits.fail(409, 'order_closed', 'this order has a checkout already');
        end if;
        update credits.orders as o
        set checkout_session_id = attach_checkout.session_id
        where o.account_id = attach_checkout.account_id and o.order_id = attach_checkout.order_id
        returning o.* into v_order;
    end if;
    return credits.order_receipt(v_order, (
        select i.subject
        from credits.identities as i
        where i.account_id = attach_checkout.account_id
        order by i.created_at
        limit 1
    ), false);
end
$$;
comment on function api.attach_checkout(uuid, uuid, text, text) is
'Note the Stripe Checkout session of an order, and the account''s Stripe customer (the first one stays). For services.

Raises PT404 unknown_order or unknown_user, PT409 order_closed, PT403 not_yours.';
