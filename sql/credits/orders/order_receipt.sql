create or replace function credits.order_receipt(
    p_order credits.orders,
    p_user_id text default null,
    p_replayed boolean default false
)
returns api.order_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_receipt api.order_receipt;
begin
    v_receipt.order_id := p_order.order_id;
    v_receipt.account_id := p_order.account_id;
    v_receipt.user_id := coalesce(p_user_id, (select u.user_id from credits.user_of(p_order.account_id) as u));
    v_receipt.pack_id := p_order.pack_id;
    v_receipt.package_name := p_order.package_name;
    v_receipt.module_id := case when (p_order.scope like 'module:%') is true then substr(p_order.scope, 8) end;
    v_receipt.scope := p_order.scope;
    v_receipt.tokens := trim_scale(p_order.tokens);
    v_receipt.bonus_tokens := trim_scale(p_order.bonus_tokens);
    v_receipt.amount := p_order.amount;
    v_receipt.currency := p_order.currency;
    v_receipt.state := p_order.state;
    v_receipt.stripe_price_id := p_order.stripe_price_id;
    v_receipt.stripe_customer_id := (
        select a.stripe_customer_id from credits.accounts as a where a.account_id = p_order.account_id
    );
    v_receipt.checkout_session_id := p_order.checkout_session_id;
    v_receipt.kind := p_order.kind;
    v_receipt.replayed := p_replayed;
    return v_receipt;
end
$$;
comment on function credits.order_receipt(credits.orders, text, boolean) is
'The answer of api functions about an order. p_user_id: the user who called, or about whom a service called.';
