-- A refund that we requested withholds its tokens until it has ended, and never more than was paid is asked back.
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
    o.account_id,
    format('order %s withholds the tokens of %s that may go back', o.order_id, m.pending) as expected,
    format('%s tokens', w.withheld) as found
from credits.orders as o
cross join
    lateral (
        select coalesce(sum(r.amount), 0) as pending
        from credits.reversals as r
        where
            r.account_id = o.account_id and r.order_id = o.order_id and r.kind = 'refund'
            and r.status in ('requested', 'requires_action', 'pending')
    ) as m
cross join
    lateral (
        select coalesce(sum(l.withheld), 0) as withheld
        from credits.lots as l
        where l.account_id = o.account_id and l.order_id = o.order_id
    ) as w
where
    o.state = 'paid' and exists (
        select
        from credits.refund_requests as q
        where q.account_id = o.account_id and q.order_id = o.order_id
    )
    and (w.withheld > 0) is distinct from (m.pending > 0 and o.reversed < o.paid);
comment on view audit.check_refund_requests is
'Every refund that we requested withholds its tokens until it has ended, has a call to Stripe, and asks for no more '
'than is left of the payment.';
