-- Granting what was paid for: the snapshot of the order, never what an event says.
create or replace function credits.fulfil_order(
    p_order credits.orders, p_objects text[], p_paid bigint, p_discount numeric, p_succeeded_at timestamptz
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock(p_order.account_id);
    v_lot_id bigint;
begin
    -- Two events may name one payment. The keys let it count only once.
    insert into credits.stripe_objects (object_id, account_id, order_id)
    select s.object_id, p_order.account_id, p_order.order_id
    from unnest(p_objects) as s (object_id)
    where s.object_id is not null;

    update credits.orders as o
    set
        state = 'paid', paid_at = v_now, parked_reason = null, paid = p_paid, succeeded_at = p_succeeded_at,
        payment_intent_id = coalesce(
            (select s.object_id from unnest(p_objects) as s (object_id) where s.object_id like 'pi\_%' limit 1),
            o.payment_intent_id
        )
    where o.account_id = p_order.account_id and o.order_id = p_order.order_id;

    if (p_order.kind = 'subscription') is true then
        v_lot_id := credits.grant_allowance(p_order, p_discount);
    else
        v_lot_id := credits.grant_lot(
            p_order.account_id, 'purchase', p_order.tokens, p_order.package_name,
            p_scope => p_order.scope, p_expires_at => credits.later(v_now, p_order.expires_after),
            -- What a token really cost, for margins.
            p_unit_cost => (p_order.amount - p_discount) / p_order.tokens, p_currency => p_order.currency,
            p_order_id => p_order.order_id
        );
    end if;
    if (p_order.bonus_tokens > 0) is true then
        perform credits.grant_lot(
            p_order.account_id, 'bonus', p_order.bonus_tokens, p_order.package_name,
            p_scope => p_order.scope, p_expires_at => credits.later(v_now, p_order.expires_after),
            p_currency => p_order.currency, p_order_id => p_order.order_id
        );
    end if;
    -- A trial is not a purchase.
    if (p_order.kind = 'subscription') is not true or (p_paid > 0) is true then
        perform credits.settle_referral(p_order.account_id, p_order.order_id);
    end if;
    -- Money may have gone back before the bank knew that it had come.
    perform credits.settle_order(p_order.account_id, p_order.order_id);
    return p_order.account_id || ':' || v_lot_id;
end
$$;
comment on function credits.fulfil_order(credits.orders, text[], bigint, numeric, timestamptz) is
'Grants the snapshot of an order under the locks of credits.lock_with_referrer: the tokens, then the bonus, then what '
'the referrer earned. p_objects: the ids at Stripe by which the payment is known; nulls are ignored. p_paid: what '
'arrived, with tax, in minor units. p_discount: minor units, from 0 to the amount of the order. p_succeeded_at: when '
'the payment succeeded, by Stripe''s clock. Returns the entry of the purchase.';
