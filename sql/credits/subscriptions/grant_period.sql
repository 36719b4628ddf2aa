-- A paid period: an order, and the lot of its allowance, which ends with the period.
--
--   1. The order, with the snapshot of what was paid for.
--   2. The period on the invoice: what was granted for it, and until when. An invoice has only one.
--   3. The tokens, dated by the period. If the period is over, they have expired, and the books say both.
--   4. Credits of this period may have come first. What the period before left goes over, and what this one left, if
--      the next one is known already.

create or replace function credits.grant_period(p_event credits.stripe_events)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_invoice constant jsonb := p_event.payload #> '{data,object}';
    v_period constant record := credits.invoice_period(v_invoice);
    v_order credits.orders;
    v_terms credits.plan_versions;
    v_entry_id text;
begin
    -- 1. The order.
    select v.* into strict v_terms
    from credits.plan_versions as v
    where v.plan_id = v_period.plan_id and v.version = v_period.version;
    insert into credits.orders (
        account_id, order_id, kind, package_name, scope, tokens, amount, currency, stripe_price_id, created_at
    )
    select
        p_event.account_id, p_event.order_id, 'subscription', p.title, v_terms.scope, v_period.tokens,
        greatest(coalesce(v_period.amount, 0), 0), v_terms.currency, v_terms.stripe_price_id, credits.clock(p_event.account_id)
    from credits.plans as p
    where p.plan_id = v_terms.plan_id
    returning * into strict v_order;

    -- 2. The period.
    update credits.subscription_invoices as i
    set
        order_id = v_order.order_id, plan_id = v_terms.plan_id, version = v_terms.version,
        quantity = v_period.quantity, period_starts_at = v_period.starts_at, period_ends_at = v_period.ends_at
    where i.account_id = p_event.account_id and i.invoice_id = p_event.object_id;

    -- 3. The tokens.
    v_entry_id := credits.fulfil_order(
        v_order, credits.payment_names(p_event),
        -- What a customer's balance at Stripe paid was paid, too: it is money that came before.
        greatest(
            coalesce(
                credits.signed_amount(v_invoice -> 'total'), credits.stripe_amount(v_invoice -> 'amount_paid'), 0
            ) + coalesce(v_period.credited, 0), 0
        )::bigint,
        v_period.discount, credits.event_time(p_event)
    );
    perform credits.catch_up(p_event.account_id);

    -- 4. What was credited, if that came first, and what goes over.
    perform credits.settle_credits(p_event.account_id, i.subscription_id, i.period_ends_at)
    from credits.subscription_invoices as i
    where i.account_id = p_event.account_id and i.order_id = v_order.order_id;
    perform credits.roll_over(p_event.account_id, i.order_id)
    from (
        select x.order_id
        from credits.subscription_invoices as x
        join credits.subscription_invoices as own on x.account_id = own.account_id
        where
            own.account_id = p_event.account_id and own.order_id = v_order.order_id
            and x.subscription_id = own.subscription_id
            and (x.period_ends_at = own.period_starts_at or x.order_id = own.order_id)
            and x.order_id is not null
        order by x.period_starts_at, x.order_id
    ) as i;
    perform credits.catch_up(p_event.account_id);
    perform credits.apply_waiting_for(credits.payment_names(p_event));
    return v_entry_id;
end
$$;
comment on function credits.grant_period(credits.stripe_events) is
'Grants what credits.invoice_period reads from a paid invoice, once. Returns the entry of the allowance.';

create or replace function credits.grant_allowance(p_order credits.orders, p_discount numeric)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_lot credits.lots;
    v_period credits.subscription_invoices;
    v_now constant timestamptz := credits.clock(p_order.account_id);
begin
    select i.* into strict v_period
    from credits.subscription_invoices as i
    where i.account_id = p_order.account_id and i.order_id = p_order.order_id;
    v_lot.account_id := p_order.account_id;
    v_lot.source := 'allowance';
    v_lot.package_name := p_order.package_name;
    v_lot.granted := p_order.tokens;
    v_lot.priority := (
        select v.priority
        from credits.plan_versions as v
        where v.plan_id = v_period.plan_id and v.version = v_period.version
    );
    v_lot.scope := p_order.scope;
    -- A period that Stripe dates ahead of our clock begins now.
    v_lot.effective_at := case
        when (v_period.period_starts_at > v_now) is true then v_now else v_period.period_starts_at
    end;
    v_lot.expires_at := v_period.period_ends_at;
    v_lot.unit_cost := (p_order.amount - p_discount) / p_order.tokens;
    v_lot.currency := p_order.currency;
    v_lot.order_id := p_order.order_id;
    return credits.put_lot(v_lot);
end
$$;
comment on function credits.grant_allowance(credits.orders, numeric) is
'Grants the lot of a subscription''s order. p_discount: minor units, from 0 to the amount of the order.';

create or replace function credits.payment_names(p_event credits.stripe_events)
returns text[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- A subscription has many orders.
    return array(
        select n.name
        from unnest(p_event.names) as n (name)
        where
            n.name is distinct from credits.invoice_subscription(p_event.payload #> '{data,object}')
            and n.name is distinct from credits.stripe_id(p_event.payload #> '{data,object,customer}')
    );
end
$$;
comment on function credits.payment_names(credits.stripe_events) is
'The objects at Stripe by which the payment of an invoice is known: the invoice, its payment intents and charges.';
