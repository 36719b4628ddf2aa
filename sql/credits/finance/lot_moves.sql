-- Every movement of tokens into a lot or out of it, one row for each draw of each entry, with the way that it went and
-- the moment to which accounting dates it. The other views of finance are sums of these rows.
--
-- Accounting dates an entry when it happened. What was booked after its month had been closed is dated at the beginning
-- of the first month that was open then, so that a closed month never changes.
create or replace view credits.lot_moves
with (security_invoker = true)
as
with draws as (
    -- Nearly every entry has one draw. Reading it by its place takes a third of the time that expanding the list takes.
    select
        e.account_id,
        e.seq,
        e.kind,
        e.posted_at,
        e.effective_at,
        e.order_id,
        e.module_id,
        (e.draws -> 0 -> 'lot_id')::bigint as lot_id,
        case when e.tokens > 0 then 1 else -1 end * (e.draws -> 0 -> 'tokens')::numeric as tokens
    from credits.entries as e
    where jsonb_array_length(e.draws) = 1
    union all
    select
        e.account_id,
        e.seq,
        e.kind,
        e.posted_at,
        e.effective_at,
        e.order_id,
        e.module_id,
        d.lot_id,
        case when e.tokens > 0 then 1 else -1 end * d.tokens as tokens
    from credits.entries as e
    cross join lateral jsonb_to_recordset(e.draws) as d (lot_id bigint, tokens numeric)
    where jsonb_array_length(e.draws) > 1
)

select
    d.account_id,
    d.lot_id,
    d.tokens,
    case
        when (d.seq = d.lot_id) is true then 'granted'
        when d.kind in ('spend', 'refund', 'repayment', 'byok') then 'used'
        when d.kind = 'expire' then 'expired'
        when d.kind = 'adjustment' then 'adjusted'
        when d.kind = 'reversal' and coalesce((
            select r.cause
            from credits.money_returns as r
            where r.account_id = d.account_id and r.order_id = d.order_id and r.at <= d.posted_at
            order by r.number desc
            limit 1
        ), '') = 'dispute' then 'disputed'
        when d.kind = 'reversal' then 'refunded'
        when exists (
            select from credits.lots as l
            where l.account_id = d.account_id and l.lot_id = d.lot_id and l.order_id is not distinct from d.order_id
        ) then 'reinstated'
        -- A reinstatement that undoes the repayment of a debt puts tokens into a lot of another order.
        else 'used'
    end as way,
    case
        when d.effective_at >= d.posted_at then d.effective_at
        else greatest(
            d.effective_at,
            (
                select
                    coalesce(
                        credits.later(max(m.month)::timestamp at time zone interval '0', interval '1 month'),
                        '-infinity'
                    )
                from credits.closed_months as m
                where m.closed_at <= d.posted_at
            )
        )
    end as accounted_at,
    d.effective_at,
    d.module_id
from draws as d;
comment on view credits.lot_moves is
'Tokens that went into a lot (above zero) or out of it (below zero), one row for each draw of each entry. way: '
'granted, used, expired, refunded, disputed, reinstated or adjusted. accounted_at: the moment to which accounting '
'dates it. It is effective_at, but never in a month that was closed when the entry was posted.';
