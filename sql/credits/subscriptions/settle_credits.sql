-- A smaller plan in the middle of a period: Stripe credits the part of the period that was paid and not used, and the
-- next invoices take less money. That money has come back to the user, so the tokens follow it as they follow a refund
-- (settle_order.sql): first those that are left in the period's lots, and what was spent beyond that is owed. Without
-- this, somebody could upgrade, spend the large allowance, downgrade, and have both the tokens and the money.
--
-- The same happens when a subscription is cancelled at once and Stripe credits the rest of its period. Then the credit
-- is on the next invoice of the customer, which may be of another subscription.
--
-- A credit is shared out over the other orders of the period that began by then, the latest first: what an upgrade
-- charged is credited before what the plan below had cost. All credits and all orders of the period are looked at each
-- time, so the order in which the invoices come does not matter.

-- Stripe credits what was paid. After a discount it writes that on the lines of a change of plan, without the discount
-- (unless proration_discounts is itemized). So a credit is a share of the price less the discount.
create or replace function credits.net_price(p_order credits.orders)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce((
        select round(l.unit_cost * l.granted)
        from credits.lots as l
        where l.account_id = p_order.account_id and l.order_id = p_order.order_id and l.source = 'allowance'
    ), p_order.amount);
end
$$;
comment on function credits.net_price(credits.orders) is
'What the period of an order cost less its discount, without tax that comes on top, in minor units.';

create or replace function credits.credits_of_period(
    p_account_id uuid, p_subscription_id text, p_ends_at timestamptz
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_credit record;
    v_order record;
    v_left numeric;
    v_part numeric;
    v_parts jsonb not null := jsonb_build_object();
begin
    for v_credit in
        select i.invoice_id, i.credited, i.credited_from
        from credits.subscription_invoices as i
        where
            i.account_id = p_account_id and i.credited_until = p_ends_at
            and coalesce(i.credited_subscription_id, i.subscription_id) = p_subscription_id
        order by i.credited_from, i.invoice_id
    loop
        v_left := v_credit.credited;
        for v_order in
            select o.order_id, credits.net_price(o) as amount
            from credits.subscription_invoices as i
            join credits.orders as o on i.account_id = o.account_id and i.order_id = o.order_id
            where
                i.account_id = p_account_id and i.subscription_id = p_subscription_id
                and i.period_ends_at = p_ends_at and i.period_starts_at <= v_credit.credited_from
                and i.invoice_id <> v_credit.invoice_id
            order by i.period_starts_at desc, i.invoice_id
        loop
            v_part := least(
                coalesce(v_left, 0),
                coalesce(v_order.amount - coalesce((v_parts -> v_order.order_id::text)::numeric, 0), 0)
            );
            v_parts := v_parts || jsonb_build_object(
                v_order.order_id, coalesce((v_parts -> v_order.order_id::text)::numeric, 0) + v_part
            );
            v_left := v_left - v_part;
        end loop;
    end loop;
    return v_parts;
end
$$;
comment on function credits.credits_of_period(uuid, text, timestamptz) is
'How much of the net price of each order of a subscription''s period was credited: minor units by order_id.';

create or replace function credits.settle_credits(
    p_account_id uuid, p_subscription_id text, p_ends_at timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_parts constant jsonb := credits.credits_of_period(p_account_id, p_subscription_id, p_ends_at);
    v_credit record;
begin
    for v_credit in
        select
            o.order_id,
            'credit_' || i.invoice_id as reversal_id,
            -- The same share of what was really paid: with tax.
            round(o.paid * p.amount / nullif(credits.net_price(o), 0))::bigint as amount
        from (
            select x.order_id::uuid as order_id, x.amount::numeric as amount
            from jsonb_each(v_parts) as x (order_id, amount)
        ) as p
        join credits.orders as o on o.account_id = p_account_id and p.order_id = o.order_id
        join credits.subscription_invoices as i on o.account_id = i.account_id and o.order_id = i.order_id
        left join credits.reversals as r
            on r.account_id = p_account_id and r.reversal_id = 'credit_' || i.invoice_id
        -- A trial costs nothing, so its order has no share to give back.
        where coalesce(round(o.paid * p.amount / nullif(credits.net_price(o), 0)), 0) <> coalesce(r.amount, 0)
        order by i.invoice_id
    loop
        insert into credits.reversals as r (
            account_id, reversal_id, order_id, kind, amount, status, created_at, changed_at
        )
        values (
            p_account_id, v_credit.reversal_id, v_credit.order_id, 'refund', coalesce(v_credit.amount, 0),
            'succeeded', credits.clock(p_account_id), credits.clock(p_account_id)
        )
        on conflict (account_id, reversal_id) do update
        set amount = excluded.amount, changed_at = excluded.changed_at;
        perform credits.settle_order(p_account_id, v_credit.order_id);
    end loop;
end
$$;
comment on function credits.settle_credits(uuid, text, timestamptz) is
'Takes back the tokens of a subscription''s period whose money its invoices have credited, on a locked wallet. The '
'period is the one that ends at p_ends_at. Does nothing when that is done already.';
