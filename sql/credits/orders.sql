-- An order is a snapshot of what is sold. Without a checkout it lasts an hour, and only as long as the same thing is
-- still sold. Once a checkout is attached the snapshot binds, until the payment provider ends that checkout.

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
    -- A pack that is bound to something stays so; the buyer may only narrow it.
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
'The snapshot of a pack, bought for a module or for what the pack is bound to. '
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
            422, 'bad_amount', 'the catalogue offers no top-up of this amount',
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
'The snapshot of a top-up of an amount, for a module or for any. Raises PT422 bad_amount.';

create or replace function credits.is_on_sale(p_order credits.orders)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_module_id constant text := case when (p_order.scope like 'module:%') is true then substr(p_order.scope, 8) end;
begin
    if v_module_id is not null
        and not exists (select from credits.modules as m where m.module_id = v_module_id and m.active) then
        return false;
    elsif p_order.pack_id is null then
        return exists (
            select
            from credits.topups as t
            where
                t.currency = p_order.currency and p_order.amount between t.minimum and t.maximum
                and credits.topup_tokens(p_order.amount, t.tokens_per_unit) = p_order.tokens
        );
    end if;
    return exists (
        select
        from credits.packs as p
        where
            p.pack_id = p_order.pack_id and p.active
            -- The title as well: it is what the buyer saw.
            and (p.title, p.tokens, p.bonus_tokens, p.amount, p.currency, p.stripe_price_id)
            is not distinct from (
                p_order.package_name, p_order.tokens, p_order.bonus_tokens, p_order.amount, p_order.currency,
                p_order.stripe_price_id
            )
            -- As text: a month and 30 days are equal to PostgreSQL, and not to the calendar.
            and credits.interval_text(p.expires_after) is not distinct from credits.interval_text(p_order.expires_after)
            -- Bound as the pack is, or by the buyer to something narrower.
            and (
                p.scope is not distinct from p_order.scope
                or (
                    v_module_id is not null
                    and (p.scope is null or p.scope = any (credits.scopes_of(v_module_id)))
                )
            )
    );
end
$$;
comment on function credits.is_on_sale(credits.orders) is
'Could the same order be made now: under the same title, the same tokens for the same money, bound and expiring alike?';

create or replace function credits.has_lapsed(p_order credits.orders)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- An order that is not there has lapsed, too.
    return (p_order.created_at > credits.earlier(credits.clock(p_order.account_id), '1 hour')) is not true
        or credits.is_on_sale(p_order) is not true;
end
$$;
comment on function credits.has_lapsed(credits.orders) is
'Is it too late to open a checkout for this order: is it an hour old, or no longer on sale?';

create or replace function credits.expire_orders(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.orders as o
    set state = 'expired'
    where
        o.account_id = p_account_id and o.state = 'pending' and o.checkout_session_id is null
        and credits.has_lapsed(o);
end
$$;
comment on function credits.expire_orders(uuid) is
'Ends the orders of a locked wallet that have no checkout and for which it is too late to open one.';

create or replace function credits.expire_old_orders(p_most bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_account_id uuid;
    v_accounts bigint := 0;
begin
    -- By their wallets, as everything that moves an order locks. What is locked is left for the next time.
    for v_account_id in
        select w.account_id
        from credits.wallets as w
        where w.account_id in (
            select o.account_id
            from credits.orders as o
            where
                o.state = 'pending' and o.checkout_session_id is null
                and o.created_at <= credits.earlier(credits.clock(o.account_id), '1 hour')
        )
        order by w.account_id
        limit p_most
        for no key update skip locked
    loop
        perform credits.expire_orders(v_account_id);
        v_accounts := v_accounts + 1;
    end loop;
    return v_accounts;
end
$$;
comment on function credits.expire_old_orders(bigint) is
'Ends the orders of at most p_most accounts that got no checkout within an hour, and returns how many accounts. '
'Null: all.';

create or replace function credits.keep_orders_few(p_account_id uuid)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_most constant bigint := coalesce((select s.most_pending_orders from credits.settings as s), 20);
    v_now constant timestamptz := credits.clock(p_account_id);
    v_pending record;
begin
    -- A checkout ends within 24 hours. An order that is older has missed the news, and must not stand in the way.
    select
        count(*) as orders,
        min(credits.later(
            o.created_at, case when o.checkout_session_id is null then interval '1 hour' else interval '25 hours' end
        )) as reset_at
    into v_pending
    from credits.orders as o
    where o.account_id = p_account_id and o.state = 'pending' and o.created_at > credits.earlier(v_now, '25 hours');
    if v_pending.orders >= v_most then
        perform credits.fail(
            429, 'too_many_orders', 'this account has as many pending orders as it may have: pay or end one first',
            json_build_object('limit', v_most, 'reset_at', credits.utc_text(v_pending.reset_at))
        );
    end if;
end
$$;
comment on function credits.keep_orders_few(uuid) is
'Refuses one more order on a locked wallet that has as many pending ones as the settings allow. '
'Raises PT429 too_many_orders (limit, reset_at).';

create or replace function credits.find_order(p_account_id uuid, p_order_id uuid)
returns api.order_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_order credits.orders;
begin
    select o.* into v_order
    from credits.orders as o
    where o.account_id = p_account_id and o.order_id = p_order_id;
    if not found then
        perform credits.fail(404, 'unknown_order', 'no such order');
    end if;
    return credits.order_receipt(v_order, (select u.user_id from credits.user_of(p_account_id) as u), false);
end
$$;
comment on function credits.find_order(uuid, uuid) is
'An order as api functions answer it, for services, which name it by its account. Raises PT404 unknown_order.';

create or replace function credits.note_customer(p_account_id uuid, p_customer_id text, p_replaces text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Two calls at once may each bring a customer: the first one stays, unless it is the one that is gone.
    update credits.accounts as a
    set stripe_customer_id = p_customer_id
    where
        a.account_id = p_account_id and p_customer_id is not null
        and (a.stripe_customer_id is null or (a.stripe_customer_id = p_replaces) is true);
end
$$;
comment on function credits.note_customer(uuid, text, text) is
'Notes the Stripe customer of an account that has none, or has the one that p_replaces says is gone.';
