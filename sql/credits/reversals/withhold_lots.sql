-- While a refund is pending, its tokens stay in their lots and cannot be spent. They are withheld where they will be
-- taken: a bonus that was spent is withheld in the lot of its purchase.
create or replace function credits.withhold_lots(p_order credits.orders, p_back bigint, p_pending bigint)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_plan record;
begin
    -- Nearly always.
    if p_pending = 0 then
        update credits.lots as l
        set withheld = 0
        where l.account_id = p_order.account_id and l.order_id = p_order.order_id and l.withheld <> 0;
        return;
    end if;
    v_plan := credits.plan_reversal(p_order, p_back + p_pending);
    update credits.lots as l
    set withheld = n.tokens
    from (
        with whole as (
            select sum(
                credits.share_of(credits.own_grant(x), p_back + p_pending, p_order.paid)
                - credits.share_of(credits.own_grant(x), p_back, p_order.paid)
            ) as tokens
            from credits.lots as x
            where x.account_id = p_order.account_id and x.order_id = p_order.order_id
        ),

        -- First what would be taken now. Then what a hold has, because the hold may free it. The rest is not there, and
        -- may come back.
        parts as (
            select
                x.lot_id,
                r.room,
                sum(r.room) over (order by r.turn, x.lot_id) - r.room as before
            from credits.lots as x
            left join jsonb_to_recordset(v_plan.takes) as t (lot_id bigint, tokens numeric) on x.lot_id = t.lot_id
            cross join lateral (
                values
                (1, coalesce(t.tokens, 0)), (2, x.held), (3, x.granted - x.held - coalesce(t.tokens, 0))
            ) as r (turn, room)
            where x.account_id = p_order.account_id and x.order_id = p_order.order_id
        )

        select p.lot_id, sum(greatest(least(p.room, coalesce(w.tokens - p.before, 0)), 0)) as tokens
        from parts as p
        cross join whole as w
        group by p.lot_id
    ) as n
    where l.account_id = p_order.account_id and l.lot_id = n.lot_id and l.withheld is distinct from n.tokens;
end
$$;
comment on function credits.withhold_lots(credits.orders, bigint, bigint) is
'Withholds the tokens of p_pending minor units of the payment of an order in its lots, and frees those that were '
'withheld before. p_back minor units have gone back, and their tokens are taken. The wallet is locked, and its head is '
'folded.';
