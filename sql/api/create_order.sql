-- Begin a purchase. The order is written before Stripe is asked. It is a snapshot of what is sold. Later payments can
-- only confirm it.
--
--   1. Refuse an order that does not name exactly one thing, or names a module that does not exist.
--   2. Lock the wallet. A repeated call gets the order of the first. A frozen account may buy; a closed one may not.
--   3. Write the snapshot of the pack or the top-up.

create or replace function api.create_order(
    pack_id text default null,
    amount bigint default null,
    module_id text default null,
    user_id text default null,
    idempotency_key text default null
)
returns api.order_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject constant text := credits.caller_subject(create_order.user_id);
    v_account_id constant uuid := credits.account_of(v_subject, true);
    v_wallet record;
    v_order_id constant uuid := gen_random_uuid();
    v_known credits.idempotency_keys;
    v_order credits.orders;
begin
    idempotency_key := coalesce(create_order.idempotency_key, credits.header_key('create_order'));
    -- 1. Refuse.
    if num_nonnulls(create_order.pack_id, create_order.amount) <> 1 then
        perform credits.fail(422, 'bad_order', 'an order must name either a pack_id or an amount');
    end if;
    if create_order.module_id is not null
        and not exists (select from credits.modules as m where m.module_id = create_order.module_id and m.active) then
        perform credits.refuse_module(create_order.module_id);
    end if;

    -- 2. Lock. Is it a repeat?
    v_wallet := credits.lock_wallet(v_account_id);
    perform credits.expire_orders(v_account_id);
    if create_order.idempotency_key is not null then
        v_known := credits.claim_key(
            v_account_id, 'create_order', create_order.idempotency_key,
            jsonb_build_array(create_order.pack_id, create_order.amount, create_order.module_id), p_made_id => v_order_id
        );
    end if;
    if v_known.account_id is not null then
        -- The order as it is now: it may have got its session since, its state may have changed, or its hour may have
        -- passed.
        select o.* into v_order
        from credits.orders as o
        where o.account_id = v_account_id and o.order_id = v_known.made_id;
        return credits.order_receipt(v_order, v_subject, true);
    elsif v_wallet.status = 'closed' then
        perform credits.refuse_status(v_wallet.status);
    end if;

    -- 3. Write the snapshot.
    perform credits.keep_orders_few(v_account_id);
    perform credits.keep_unpaid_orders_few(v_account_id, credits.clock(v_account_id));
    if create_order.pack_id is not null then
        v_order := credits.pack_order(create_order.pack_id, create_order.module_id);
    else
        v_order := credits.topup_order(create_order.amount, create_order.module_id);
    end if;
    insert into credits.orders (
        account_id, order_id, pack_id, package_name, scope, tokens, bonus_tokens, expires_after,
        amount, currency, stripe_price_id, created_at
    )
    values (
        v_account_id, v_order_id, v_order.pack_id, v_order.package_name, v_order.scope, v_order.tokens,
        v_order.bonus_tokens, v_order.expires_after, v_order.amount, v_order.currency, v_order.stripe_price_id,
        credits.clock(v_account_id)
    )
    returning * into v_order;

    return credits.order_receipt(v_order, v_subject);
end
$$;
comment on function api.create_order(text, bigint, text, text, text) is
'Begin a purchase: of a pack, or a top-up of an amount, where the price list offers it. The payment brings the tokens.

amount: in minor units (cents). module_id: binds the tokens to this module, where the scope of the pack allows it.
With an idempotency_key a repeat gets the same order, as it is now. Without a checkout, an order expires after an hour,
or when its pack or top-up is no longer sold as it was. An account has at most 20 pending orders, unless the operator
says otherwise, and 1000 orders of a user may end without money in an hour (credits.bound_unpaid).
Raises PT404 unknown_pack or unknown_module, PT422 bad_order, bad_amount or bad_key, PT409 key_reused, PT429
too_many_orders or unpaid_limit (for a user), PT423 account_frozen, PT403 not_yours, PT401 not_signed_in, PT422
bad_isolation.';
