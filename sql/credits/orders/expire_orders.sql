-- An order without a checkout ends after an hour, or when what it orders is no longer sold in this way.

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
            -- The title counts as well: the buyer saw it.
            and (p.title, p.tokens, p.bonus_tokens, p.amount, p.currency, p.stripe_price_id)
            is not distinct from (
                p_order.package_name, p_order.tokens, p_order.bonus_tokens, p_order.amount, p_order.currency,
                p_order.stripe_price_id
            )
            -- Compared as text: to PostgreSQL a month equals 30 days, to the calendar it does not.
            and credits.interval_text(p.expires_after) is not distinct from credits.interval_text(p_order.expires_after)
            -- Bound as the pack is, or to something narrower that the buyer chose.
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
'Whether the same order could be made now: with the same title, the same tokens for the same money, the same scope and '
'the same expiry.';

create or replace function credits.has_lapsed(p_order credits.orders)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- An order that does not exist has lapsed, too.
    return (p_order.created_at > credits.earlier(credits.clock(p_order.account_id), '1 hour')) is not true
        or credits.is_on_sale(p_order) is not true;
end
$$;
comment on function credits.has_lapsed(credits.orders) is
'Whether it is too late to open a checkout for this order: it is an hour old, or what it orders is no longer on sale.';

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
'Ends the orders of a locked wallet that have no checkout and are too old to get one.';

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
    -- The wallets are locked first, as by everything that moves an order. Locked wallets are left for the next time.
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
'Ends the orders that got no checkout within an hour, of at most p_most accounts, and returns how many accounts. Null '
'means all of them.';
