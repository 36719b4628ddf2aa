-- How much of a payment we may refund: never more than is left of it, and never for tokens that were spent, are held,
-- or are frozen by a dispute.

create or replace function credits.refund_needs(p_order credits.orders, p_amount bigint)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_money constant record := credits.money_back(p_order);
    v_before constant bigint not null := v_money.back + v_money.pending;
begin
    return (
        select coalesce(sum(
            credits.share_of(credits.own_grant(l), v_before + p_amount, p_order.paid)
            - credits.share_of(credits.own_grant(l), v_before, p_order.paid)
        ), 0)
        from credits.lots as l
        where l.account_id = p_order.account_id and l.order_id = p_order.order_id
    );
end
$$;
comment on function credits.refund_needs(credits.orders, bigint) is
'The tokens that go back with so many more minor units of a payment: of the purchase and, in proportion, of its bonus.';

create or replace function credits.refundable(p_order credits.orders)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_money constant record := credits.money_back(p_order);
    v_left constant bigint not null := coalesce(p_order.paid - v_money.back - v_money.pending, 0);
    v_granted numeric not null := 0;
    v_free numeric not null := 0;
    v_amount bigint not null := 0;
begin
    select
        coalesce(sum(l.granted) filter (where l.source <> 'rollover'), 0),
        greatest(coalesce(sum(l.remaining - l.held - l.withheld) filter (where not l.frozen), 0), 0)
    into v_granted, v_free
    from credits.current_lots as l
    where l.account_id = p_order.account_id and l.order_id = p_order.order_id;
    if (p_order.state = 'paid' and p_order.paid > 0 and v_granted > 0) is not true then
        return 0;
    end if;
    v_amount := greatest(least(v_left, coalesce(trunc(p_order.paid * v_free / v_granted), 0)), 0);
    -- Shares are cut at six decimals, so that the last minor unit may need a little more than is free.
    if v_amount > 0 and credits.refund_needs(p_order, v_amount) > v_free then
        v_amount := v_amount - 1;
    end if;
    return v_amount;
end
$$;
comment on function credits.refundable(credits.orders) is
'The most that may be refunded of an order of a locked wallet whose head is folded, in minor units.';
