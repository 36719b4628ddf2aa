-- Nobody is charged without having agreed to it, more than once at a time, or beyond their limit of the month. Every
-- attempt and its order tell the same story.
create or replace view audit.check_topups
with (security_invoker = true)
as
with attempts as (
    select
        a.*,
        o.kind as order_kind,
        o.state as order_state,
        o.amount as order_amount,
        o.currency as order_currency,
        c.state as call_state,
        c.params -> 'amount' as call_amount,
        g.kind as consent_kind,
        g.amount as consent_amount,
        g.currency as consent_currency,
        g.monthly_limit,
        g.decided_at,
        (
            select min(w.decided_at)
            from credits.topup_consents as w
            where
                w.account_id = a.account_id and w.agreed_id = a.consent_id
                -- A charge that succeeded after all ends the stop for declines.
                and (w.kind = 'withdrawal' or (w.kind = 'stop' and w.reason is distinct from 'declined'))
        ) as ended_consent_at
    from credits.topup_attempts as a
    left join credits.orders as o on a.account_id = o.account_id and a.order_id = o.order_id
    left join credits.topup_consents as g on a.account_id = g.account_id and a.consent_id = g.consent_id
    left join credits.stripe_calls as c
        on a.account_id = c.account_id and a.attempt_id = c.made_for and c.kind = 'charge'
)

select
    a.account_id,
    format(
        'attempt %s, %s, has an automatic top-up of %s %s that is %s', a.attempt_id, a.state, a.amount, a.currency,
        case a.state when 'succeeded' then 'paid' when 'open' then 'processing' else 'failed or parked' end
    ) as expected,
    format('order %s, %s, of %s %s is %s', a.order_id, a.order_kind, a.order_amount, a.order_currency, a.order_state)
        as found
from attempts as a
where
    (
        a.order_kind = 'auto_topup' and a.order_amount = a.amount and a.order_currency = a.currency
        and case a.state
            when 'succeeded' then a.order_state = 'paid'
            when 'open' then a.order_state = 'processing'
            else a.order_state in ('failed', 'parked')
        end
    ) is not true
union all
select
    o.account_id,
    format('order %s, an automatic top-up, has an attempt', o.order_id) as expected,
    'none' as found
from credits.orders as o
where
    o.kind = 'auto_topup' and not exists (
        select
        from credits.topup_attempts as a
        where a.account_id = o.account_id and a.order_id = o.order_id
    )
union all
select
    a.account_id,
    'one attempt in flight at most' as expected,
    format('%s', count(*)) as found
from credits.topup_attempts as a
where a.state = 'open'
group by a.account_id
having count(*) > 1
union all
select
    a.account_id,
    format('attempt %s charges what the user has agreed to, and not after that has ended', a.attempt_id) as expected,
    format(
        '%s %s at %s; %s to %s %s at %s, ended at %s', a.amount, a.currency, credits.utc_text(a.fired_at),
        coalesce(a.consent_kind, 'nothing'), a.consent_amount, a.consent_currency, credits.utc_text(a.decided_at),
        credits.utc_text(a.ended_consent_at)
    ) as found
from attempts as a
where
    (
        a.consent_kind = 'consent' and a.consent_amount = a.amount and a.consent_currency = a.currency
        and a.call_amount is not distinct from to_jsonb(a.amount) and a.decided_at <= a.fired_at
        and coalesce(a.ended_consent_at >= a.fired_at, true)
    ) is not true
union all
select
    t.account_id,
    format('automatic top-up that is %s has a consent that has not ended', t.state) as expected,
    format('%s at %s', w.kind, credits.utc_text(w.decided_at)) as found
from credits.auto_topups as t
inner join credits.topup_consents as w on t.account_id = w.account_id and t.consent_id = w.agreed_id
where t.state <> 'off' and (w.kind = 'withdrawal' or (w.kind = 'stop' and w.reason is distinct from 'declined'))
union all
-- A charge that succeeded only after it had failed is the user's own doing, and counts for no later one before it.
select
    a.account_id,
    format('at most %s %s charged in the month of attempt %s', a.monthly_limit, a.currency, a.attempt_id) as expected,
    format('%s', m.charged) as found
from attempts as a
cross join
    lateral (
        select sum(b.amount) as charged
        from credits.topup_attempts as b
        where
            b.account_id = a.account_id and b.currency = a.currency and b.reason is null
            and b.state in ('open', 'succeeded') and b.fired_at <= a.fired_at
            -- A charge that ended in another month than it began in counts for both.
            and coalesce(b.ended_at, 'infinity') >= credits.period_start('month', a.fired_at)
    ) as m
where a.reason is null and a.state in ('open', 'succeeded') and (m.charged <= a.monthly_limit) is not true
union all
select
    a.account_id,
    format('attempt %s, in flight, has a call to Stripe that may still succeed', a.attempt_id) as expected,
    format('the call is %s', coalesce(a.call_state, 'missing')) as found
from attempts as a
where a.state = 'open' and coalesce(a.call_state, 'missing') not in ('due', 'done');
comment on view audit.check_topups is
'Every automatic top-up was agreed to, begun one at a time, and within the limit of its month. Its order, its attempt
and its call to Stripe agree.

A row means: a card was charged, or may be, without a consent that counts, twice at once, or beyond the limit of the
month.

What to do: call api.stop_auto_topup for the account. Compare the attempts with Stripe, and pay back with
api.request_refund what was charged without consent.';
