-- What an order buys, as it is sold at this moment. Later payments can only confirm it.

create or replace function credits.pack_order(p_pack_id text, p_module_id text)
returns credits.orders
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_pack credits.packs;
    v_order credits.orders;
begin
    select p.* into v_pack from credits.packs as p where p.pack_id = p_pack_id and p.active;
    if not found then
        perform credits.fail(404, 'unknown_pack', 'no such pack');
    end if;
    -- The buyer may narrow the scope of a pack, but never widen it.
    if v_pack.scope is not null and p_module_id is not null
        and (v_pack.scope = any (credits.scopes_of(p_module_id))) is not true then
        perform credits.fail(
            422, 'bad_order', 'the tokens of this pack cannot be spent on this module',
            json_build_object('scope', v_pack.scope)
        );
    end if;
    v_order.scope := coalesce('module:' || p_module_id, v_pack.scope);
    v_order.pack_id := v_pack.pack_id;
    v_order.package_name := v_pack.title;
    v_order.tokens := v_pack.tokens;
    v_order.bonus_tokens := v_pack.bonus_tokens;
    v_order.expires_after := v_pack.expires_after;
    v_order.amount := v_pack.amount;
    v_order.currency := v_pack.currency;
    v_order.stripe_price_id := v_pack.stripe_price_id;
    return v_order;
end
$$;
comment on function credits.pack_order(text, text) is
'The order of a pack, bought for a module or for what the pack is bound to. '
'Raises PT404 unknown_pack, PT422 bad_order.';

create or replace function credits.topup_order(p_amount bigint, p_module_id text)
returns credits.orders
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_topup credits.topups;
    v_order credits.orders;
begin
    select t.* into v_topup
    from credits.topups as t
    where p_amount between t.minimum and t.maximum and credits.charge_problem(p_amount, t.currency) is null
    order by t.currency
    limit 1;
    if not found then
        perform credits.fail(
            422, 'bad_amount', 'the price list offers no top-up of this amount',
            (
                select json_build_object('minimum', min(t.minimum), 'maximum', max(t.maximum), 'step', min(c.step))
                from credits.topups as t
                inner join credits.currencies as c on t.currency = c.currency
            )
        );
    end if;
    v_order.scope := 'module:' || p_module_id;
    v_order.package_name := 'Top-up';
    v_order.tokens := credits.check_amount(credits.topup_tokens(p_amount, v_topup.tokens_per_unit));
    v_order.bonus_tokens := 0;
    v_order.amount := p_amount;
    v_order.currency := v_topup.currency;
    return v_order;
end
$$;
comment on function credits.topup_order(bigint, text) is
'The order of a top-up of an amount, for one module or for any. Raises PT422 bad_amount.';
