-- Tokens follow their money. When part of a payment goes back, the same part of what it granted is taken back; when the
-- money returns, so do the tokens.
--
--   target   of each lot of the order: granted x money back / money paid, always of the original grant, so that partial
--            refunds never compound. What an allowance left and carried over was granted once: the lot that it is in
--            now has no target of its own, and is one of the other lots of the order
--   1. from the lot itself, then from the other lots of the order, as far as their tokens are free
--   2. what has expired, or was voided, is gone already: nobody owes it
--   3. the rest was spent or is held: it becomes debt. Other lots of the account are never touched
--
-- The result depends only on what is there now, not on the order of the events: this function may be called at any
-- time, and any number of times. It is called again when tokens come back into such a lot, because a hold was released
-- or a charge refunded. Then these tokens are taken, and the debt that stood for them ends.

create or replace function credits.gone_from(p_account_id uuid, p_lot_ids bigint[])
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce((
        select sum(case when e.tokens > 0 then -d.tokens else d.tokens end)
        from credits.entries as e
        cross join lateral jsonb_to_recordset(e.draws) as d (lot_id bigint, tokens numeric)
        where
            e.account_id = p_account_id and e.kind in ('expire', 'adjustment') and d.lot_id = any (p_lot_ids)
            and d.lot_id <> e.seq
    ), 0) - coalesce((
        select sum(l.granted)
        from credits.lots as l
        where l.account_id = p_account_id and l.lot_id = any (p_lot_ids) and l.source = 'rollover'
    ), 0);
end
$$;
comment on function credits.gone_from(uuid, bigint[]) is
'How many tokens of these lots, which are all those of an order, have expired or were voided, and did not go over into '
'the next period.';

create or replace function credits.own_grant(p_lot credits.lots)
returns numeric
language sql
immutable
return case when (p_lot.source = 'rollover') is true then 0 else p_lot.granted end;
comment on function credits.own_grant(credits.lots) is
'The tokens that the payment of an order granted by this lot. Those that went over were granted before, by the '
'allowance.';

create or replace function credits.share_of(p_granted numeric, p_part bigint, p_whole bigint)
returns numeric
language sql
immutable
return case
    when (p_part >= p_whole) is true then p_granted
    else coalesce(trunc(p_granted * p_part / nullif(p_whole, 0), 6), 0)
end;
comment on function credits.share_of(numeric, bigint, bigint) is
'The tokens of a grant that belong to p_part of p_whole of its price, cut at six decimals. All of them when p_part is '
'the whole.';

create or replace function credits.plan_reversal(
    p_order credits.orders,
    p_back bigint,
    out takes jsonb,
    out gives jsonb,
    out debt numeric
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_short numeric;
    v_lots bigint[];
begin
    with lots as (
        select
            l.lot_id,
            l.reversed,
            least(
                coalesce(credits.share_of(credits.own_grant(l), p_back, p_order.paid), 0),
                l.remaining - l.held + l.reversed
            ) as own,
            l.remaining - l.held + l.reversed as available,
            credits.share_of(credits.own_grant(l), p_back, p_order.paid) as target
        from credits.lots as l
        where l.account_id = p_order.account_id and l.order_id = p_order.order_id
    ),

    shared as (
        -- What a lot cannot pay, the other lots of the order pay, in their order.
        select
            l.*,
            l.available - l.own as room,
            sum(l.target - l.own) over () as missing,
            coalesce(
                sum(l.available - l.own) over (
                    order by l.lot_id rows between unbounded preceding and 1 preceding
                ), 0
            ) as room_before
        from lots as l
    ),

    moves as (
        select
            s.lot_id,
            s.own + coalesce(least(s.room, greatest(coalesce(s.missing - s.room_before, 0), 0)), 0) - s.reversed as tokens
        from shared as s
    )

    select
        coalesce(jsonb_agg(jsonb_build_object('lot_id', m.lot_id, 'tokens', trim_scale(m.tokens)) order by m.lot_id)
            filter (where m.tokens > 0), '[]'),
        coalesce(jsonb_agg(jsonb_build_object('lot_id', m.lot_id, 'tokens', trim_scale(-m.tokens)) order by m.lot_id)
            filter (where m.tokens < 0), '[]'),
        (select greatest(coalesce(sum(s.target) - sum(s.available), 0), 0) from shared as s),
        array_agg(m.lot_id)
    into takes, gives, v_short, v_lots
    from moves as m;
    debt := case
        when (v_short > 0) is true then greatest(v_short - credits.gone_from(p_order.account_id, v_lots), 0)
        else 0
    end - p_order.reversed_debt;
end
$$;
comment on function credits.plan_reversal(credits.orders, bigint) is
'What must move so that p_back minor units of the payment of an order have gone back, on a locked wallet whose head is '
'folded. takes: out of which lots. gives: back into which. debt: by how much the debt of this order rises, or falls '
'when below 0.';

create or replace function credits.settle_lots(p_account_id uuid, p_order_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_order credits.orders;
    v_money record;
    v_plan record;
    v_before numeric;
    v_since timestamptz;
begin
    select o.* into v_order from credits.orders as o where o.account_id = p_account_id and o.order_id = p_order_id;
    if (v_order.paid > 0) is not true then
        return;
    end if;
    v_money := credits.money_back(v_order);
    perform credits.note_money(v_order, v_money.back);
    perform credits.fold_head(p_account_id);
    select w.balance into v_before from credits.wallets as w where w.account_id = p_account_id;
    v_plan := credits.plan_reversal(v_order, v_money.back);
    v_since := credits.give_back(v_order, v_plan.gives, greatest(-v_plan.debt, 0));
    perform credits.take_back(v_order, v_plan.takes, greatest(v_plan.debt, 0));

    perform credits.withhold_lots(v_order, v_money.back, v_money.pending);
    update credits.lots as l
    set frozen = v_money.disputed
    where l.account_id = p_account_id and l.order_id = p_order_id and l.frozen <> v_money.disputed;
    update credits.orders as o
    set
        reversed = v_money.back, reversal_pending = v_money.pending, disputed = v_money.disputed,
        reversed_debt = o.reversed_debt + v_plan.debt
    where o.account_id = p_account_id and o.order_id = p_order_id;

    if v_since is not null then
        -- A lot that gets tokens back may be past its date.
        perform credits.expire_lots(p_account_id, v_since);
        perform credits.note_basis(p_account_id);
    end if;
    perform credits.write_notices(p_account_id, v_before, w.balance)
    from credits.wallets as w
    where w.account_id = p_account_id and w.balance is distinct from v_before;
    perform credits.set_due(p_account_id);
end
$$;
comment on function credits.settle_lots(uuid, uuid) is
'Takes back, or gives back, tokens of an order of a locked wallet until they agree with the money that has gone back. '
'Freezes the lots of a disputed order, and withholds the tokens of refunds that are pending. Does nothing when all of '
'that is so already.';

create or replace function credits.settle_order(p_account_id uuid, p_order_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Nearly every payment stays.
    if not exists (
        select from credits.reversals as r where r.account_id = p_account_id and r.order_id = p_order_id
    ) then
        return;
    end if;
    perform credits.settle_lots(p_account_id, p_order_id);
    perform credits.settle_rewards(p_account_id, p_order_id);
    -- Tokens that were given back may have gone into a lot of another order that still owes some.
    perform credits.settle_debts(p_account_id);
end
$$;
comment on function credits.settle_order(uuid, uuid) is
'Does credits.settle_lots for an order, and takes back the rewards that its money earned. The caller holds the locks '
'of credits.lock_with_referrer.';

create or replace function credits.settle_debts(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_order_id uuid;
begin
    -- Each turn ends the debt of an order, or leaves it without free tokens.
    loop
        select o.order_id into v_order_id
        from credits.orders as o
        where
            o.account_id = p_account_id and o.reversed_debt > 0
            and exists (
                select
                from credits.current_lots as l
                where
                    l.account_id = o.account_id and l.order_id = o.order_id and l.live and l.remaining > l.held
            )
        order by o.created_at, o.order_id
        limit 1;
        exit when not found;
        perform credits.settle_lots(p_account_id, v_order_id);
    end loop;
end
$$;
comment on function credits.settle_debts(uuid) is
'Takes the tokens that have come back into lots of a locked wallet whose orders were reversed, as far as the account '
'owes them. Called after a hold has ended and after a charge was refunded.';
