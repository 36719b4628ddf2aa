-- End an order that nobody will pay. The caller first ends the checkout that was opened for it.
create or replace function api.cancel_order(
    account_id uuid,
    order_id uuid
)
returns api.order_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.require_service('may cancel an order');
    perform credits.lock_wallet(cancel_order.account_id);
    update credits.orders as o
    set state = 'expired'
    where o.account_id = cancel_order.account_id and o.order_id = cancel_order.order_id and o.state = 'pending';
    return credits.order_receipt(credits.find_order(cancel_order.account_id, cancel_order.order_id));
end
$$;
comment on function api.cancel_order(uuid, uuid) is
'End a pending order: its state becomes expired. An order in any other state stays as it is. For services.

End the order''s Checkout session first: money that arrives through it is still granted.
Raises PT404 unknown_order or unknown_user, PT403 not_yours.';
