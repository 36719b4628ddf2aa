-- Tokens followed their money. What each order says of its money is what its reversals add up to; the entries took what
-- the lots and the order record; and all of it is the share of the money that has gone back.
create or replace view audit.check_reversals
with (security_invoker = true)
as
with refunds as (
    select
        r.account_id,
        r.order_id,
        coalesce(
            sum(r.amount) filter (
                -- The charge of a period does not report what later invoices credited.
                where
                r.kind = 'refund' and r.status not in ('requested', 'dropped')
                and not starts_with(r.reversal_id, 'credit_')
            ), 0
        ) as known,
        coalesce(sum(r.amount) filter (where r.kind = 'refund' and r.status = 'succeeded'), 0) as succeeded,
        coalesce(
            sum(r.amount) filter (
                where r.kind = 'refund' and r.status in ('requested', 'pending', 'requires_action')
            ), 0
        ) as pending,
        coalesce(max(r.amount) filter (where r.kind = 'refunded_charge'), 0) as on_charge,
        coalesce(sum(r.amount) filter (where r.kind = 'dispute' and r.withdrawals > r.reinstatements), 0) as withdrawn,
        max(r.created_at) filter (where r.kind = 'failed_payment') as failed_at
    from credits.reversals as r
    group by r.account_id, r.order_id
),

money as (
    select
        o.account_id,
        o.order_id,
        o.paid,
        o.reversed,
        o.reversal_pending,
        o.reversed_debt,
        coalesce(r.pending, 0) as pending,
        least(
            coalesce(o.paid, 0),
            coalesce(r.succeeded + r.withdrawn, 0)
            + case when (r.on_charge > r.known) is true then r.on_charge - r.known else 0 end
            + case when (r.failed_at > o.succeeded_at) is true then coalesce(o.paid, 0) else 0 end
        ) as back
    from credits.orders as o
    left join refunds as r on o.account_id = r.account_id and o.order_id = r.order_id
    where o.state = 'paid'
),

-- What the entries of each order moved, and out of which of its lots.
entries as (
    select
        e.account_id,
        e.order_id,
        -sum(e.tokens) as tokens
    from credits.entries as e
    where e.kind in ('reversal', 'reinstatement') and e.order_id is not null
    group by e.account_id, e.order_id
),

draws as (
    select
        e.account_id,
        d.lot_id,
        sum(case when e.kind = 'reversal' then d.tokens else -d.tokens end) as tokens
    from credits.entries as e
    cross join
        lateral (
            select
                x.lot_id,
                x.tokens
            from jsonb_to_recordset(e.draws) as x (lot_id bigint, tokens numeric)
            union all
            -- Tokens that go back to a lot which had repaid debt are no reversal of that lot.
            select
                x.lot_id,
                -x.tokens as tokens
            from jsonb_to_recordset(e.metadata -> 'repaid') as x (lot_id bigint, tokens numeric)
        ) as d
    inner join credits.lots as l on e.account_id = l.account_id and d.lot_id = l.lot_id
    where
        e.kind in ('reversal', 'reinstatement')
        -- A reward belongs to no order, nor do the entries that take it back.
        and l.order_id is not distinct from e.order_id
    group by e.account_id, d.lot_id
),

-- Tokens that expired or were voided are owed by nobody.
gone as (
    select
        e.account_id,
        l.order_id,
        sum(case when e.tokens > 0 then -d.tokens else d.tokens end) as tokens
    from credits.entries as e
    cross join lateral jsonb_to_recordset(e.draws) as d (lot_id bigint, tokens numeric)
    inner join credits.lots as l on e.account_id = l.account_id and d.lot_id = l.lot_id
    where e.kind in ('expire', 'adjustment') and d.lot_id is distinct from e.seq and l.order_id is not null
    group by e.account_id, l.order_id
),

lots as (
    select
        l.account_id,
        l.order_id,
        sum(l.reversed) as reversed,
        -- What went over to the next period was granted before, by the allowance, and has not gone with it.
        sum(
            case
                when m.back >= m.paid then l.granted
                else trunc(l.granted * m.back / nullif(m.paid, 0), 6)
            end
        ) filter (where l.source <> 'rollover') as target,
        coalesce(sum(l.granted) filter (where l.source = 'rollover'), 0) as carried
    from credits.lots as l
    inner join money as m on l.account_id = m.account_id and l.order_id = m.order_id
    where m.paid > 0
    group by l.account_id, l.order_id
)

select
    m.account_id,
    format('order %s: %s of %s gone back', m.order_id, m.back, m.paid) as expected,
    format('%s', m.reversed) as found
from money as m
where m.reversed is distinct from m.back
union all
select
    m.account_id,
    format('order %s: %s being refunded', m.order_id, least(m.pending, coalesce(m.paid, 0) - m.back)) as expected,
    format('%s', m.reversal_pending) as found
from money as m
where m.reversal_pending is distinct from least(m.pending, coalesce(m.paid, 0) - m.back)
union all
select
    m.account_id,
    format('order %s: entries took %s tokens back', m.order_id, coalesce(e.tokens, 0)) as expected,
    format('%s from lots, %s as debt', coalesce(l.reversed, 0), m.reversed_debt) as found
from money as m
left join entries as e on m.account_id = e.account_id and m.order_id = e.order_id
left join lots as l on m.account_id = l.account_id and m.order_id = l.order_id
where coalesce(e.tokens, 0) <> coalesce(l.reversed, 0) + m.reversed_debt
union all
select
    l.account_id,
    format('order %s: %s tokens of the money that has gone back', l.order_id, l.target) as expected,
    format(
        '%s from lots, %s as debt, %s expired or voided', l.reversed, m.reversed_debt,
        coalesce(g.tokens, 0) - l.carried
    ) as found
from lots as l
inner join money as m on l.account_id = m.account_id and l.order_id = m.order_id
left join gone as g on l.account_id = g.account_id and l.order_id = g.order_id
where
    l.reversed + m.reversed_debt > l.target
    or l.reversed + m.reversed_debt + coalesce(g.tokens, 0) - l.carried < l.target
union all
select
    l.account_id,
    format('lot %s: entries took %s tokens back', l.lot_id, coalesce(d.tokens, 0)) as expected,
    format('%s', l.reversed) as found
from credits.lots as l
left join draws as d on l.account_id = d.account_id and l.lot_id = d.lot_id
where l.reversed <> coalesce(d.tokens, 0)
union all
select
    l.account_id,
    format('lot %s: disputed: %s', l.lot_id, o.disputed) as expected,
    format('frozen: %s', l.frozen) as found
from credits.lots as l
inner join credits.orders as o on l.account_id = o.account_id and l.order_id = o.order_id
where l.frozen is distinct from o.disputed
union all
select
    e.account_id,
    format('event %s (%s) left its mark on order %s', e.event_id, e.type, e.order_id) as expected,
    format('no reversal %s', e.object_id) as found
from credits.stripe_events as e
inner join credits.event_types as t on e.type = t.type
left join credits.reversals as r on e.account_id = r.account_id and e.object_id = r.reversal_id
where
    t.family in ('refund', 'dispute', 'fraud_warning') and e.outcome in ('applied', 'duplicate')
    and r.reversal_id is null;
comment on view audit.check_reversals is
'Each order says of its money what its refunds and disputes add up to. The tokens that were taken back are the share
of the money that has gone back, less what had expired or was voided. Lots, orders and entries agree about them.

A row means: an order, its refunds and disputes, and the tokens that were taken back for them disagree.

What to do: run `pgcredits stripe pull`, which applies what was missed. If the row stays, compare the order with
Stripe''s dashboard and correct it with api.void_lot or api.restore_lot.';
