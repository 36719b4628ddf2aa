-- A refund withholds its tokens until it has ended, and never more than was paid is asked back.
create or replace view audit.check_refund_requests
with (security_invoker = true)
as
with requests as (
    select
        r.*,
        v.status,
        v.amount as reversal_amount,
        c.state as call_state,
        c.params -> 'amount' as call_amount,
        exists(
            select
            from credits.reversals as x
            where x.account_id = r.account_id and x.reversal_id = r.refund_id and x.order_id = r.order_id
        ) as is_known
    from credits.refund_requests as r
    left join credits.reversals as v
        on r.account_id = v.account_id and v.reversal_id = 'request:' || r.request_id and r.order_id = v.order_id
    left join credits.stripe_calls as c
        on r.account_id = c.account_id and r.request_id = c.made_for and c.kind = 'refund'
)

select
    r.account_id,
    format(
        'request %s, %s, of %s: a reversal that is %s', r.request_id, r.state, r.amount,
        case
            when r.state = 'open' or (r.state = 'refunded' and not r.is_known) then 'requested' else 'dropped'
        end
    ) as expected,
    format('%s of %s', coalesce(r.status, 'none'), r.reversal_amount) as found
from requests as r
where
    (
        r.reversal_amount = r.amount
        and r.status = case
            when r.state = 'open' or (r.state = 'refunded' and not r.is_known) then 'requested' else 'dropped'
        end
    ) is not true
union all
select
    r.account_id,
    format('request %s, %s, has a call to Stripe for %s', r.request_id, r.state, r.amount) as expected,
    format('%s for %s', coalesce(r.call_state, 'none'), r.call_amount) as found
from requests as r
where
    r.call_amount is distinct from to_jsonb(r.amount)
    or (r.state = 'open' and r.call_state is distinct from 'due')
union all
-- Somebody may refund the same money at Stripe meanwhile, until Stripe refuses ours. So only ours are counted.
select
    o.account_id,
    format('we ask back at most the %s that were paid for order %s', o.paid, o.order_id) as expected,
    format('%s', v.asked) as found
from credits.orders as o
cross join
    lateral (
        select sum(q.amount) as asked
        from credits.refund_requests as q
        where q.account_id = o.account_id and q.order_id = o.order_id and q.state <> 'failed'
    ) as v
where (v.asked <= o.paid) is false
union all
select
    l.account_id,
    format('order %s withholds %s tokens, of %s that may go back', l.order_id, l.due, o.reversal_pending) as expected,
    format('%s tokens', l.withheld) as found
from (
    select
        x.account_id,
        x.order_id,
        sum(x.withheld) as withheld,
        -- What went over to the next period was granted before, by the allowance.
        sum(
            case
                when x.source = 'rollover' then 0
                when m.reversed + m.reversal_pending >= m.paid then x.granted
                else trunc(x.granted * (m.reversed + m.reversal_pending) / nullif(m.paid, 0), 6)
            end
            - case
                when x.source = 'rollover' then 0
                when m.reversed >= m.paid then x.granted
                else trunc(x.granted * m.reversed / nullif(m.paid, 0), 6)
            end
        ) as due
    from credits.lots as x
    inner join credits.orders as m on x.account_id = m.account_id and x.order_id = m.order_id
    where m.paid > 0
    group by x.account_id, x.order_id
) as l
inner join credits.orders as o on l.account_id = o.account_id and l.order_id = o.order_id
where l.withheld is distinct from l.due;
comment on view audit.check_refund_requests is
'Every refund that we requested withholds its tokens until it has ended, has a call to Stripe, and asks for no more
than is left of the payment.

A row means: a refund that was asked for does not withhold its tokens, has no call to Stripe, or asks for more than
was paid.

What to do: look for the refund at Stripe first. Then run `pgcredits stripe pull`, which applies what Stripe has
done.';
