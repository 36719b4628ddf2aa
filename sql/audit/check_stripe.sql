-- The books agree, in both directions, with what Stripe's lists said at the last `pgcredits stripe pull`. A bank that
-- was never compared has no rows here. What is younger than the tolerated delay may be under way.
create or replace view audit.check_stripe
with (security_invoker = true)
as
with bounds as (
    select credits.earlier(credits.clock(), s.stripe_delay) as latest
    from credits.settings as s
),

-- The time that a list covers: objects of it that are not in the mirror do not exist at Stripe.
covered as (
    select
        l.kind,
        c.covers_from,
        credits.earlier(c.complete_until, s.stripe_delay) as covers_until
    from credits.stripe_cursors as c
    inner join credits.stripe_lists as l on c.list = l.list
    cross join credits.settings as s
    where c.complete_until is not null
),

-- Of the orders that were paid by Checkout: the session as Stripe has it.
sessions as (
    select
        o.account_id,
        o.order_id,
        o.amount,
        o.paid,
        o.currency,
        o.created_at,
        o.paid_at,
        o.checkout_session_id,
        m.object_id,
        m.status,
        m.amount as total,
        m.currency as at_stripe,
        m.named_account,
        m.named_order
    from credits.orders as o
    left join credits.stripe_mirror as m on o.checkout_session_id = m.object_id
    where o.state = 'paid' and o.kind = 'checkout' and o.checkout_session_id is not null
),

-- Of the refunds and disputes that were booked: the object as Stripe has it.
reversals as (
    select
        r.account_id,
        r.order_id,
        r.reversal_id,
        r.kind,
        r.amount,
        r.created_at,
        m.object_id,
        m.amount as at_stripe
    from credits.reversals as r
    left join credits.stripe_mirror as m on r.reversal_id = m.object_id
    where r.kind in ('refund', 'dispute') and r.status not in ('requested', 'dropped')
),

-- The money of each paid order that Stripe says has gone back.
returned as (
    select
        s.account_id,
        s.order_id,
        sum(
            case
                when m.kind = 'refund' then case when coalesce(m.status, '') = 'succeeded' then m.amount else 0 end
                else greatest(-(
                    select coalesce(sum(credits.signed_amount(t.movement -> 'amount')), 0)
                    from jsonb_path_query(m.payload, 'lax $.balance_transactions[*]') as t (movement)
                ), 0)
            end
        ) as amount,
        bool_and(m.created_at <= b.latest) as is_old
    from credits.stripe_mirror as m
    cross join bounds as b
    inner join lateral (
        select
            x.account_id,
            x.order_id
        from credits.stripe_objects as x
        where x.object_id in (m.payment_intent_id, m.charge_id)
        order by x.object_id
        limit 1
    ) as s on true
    where m.kind in ('refund', 'dispute')
    group by s.account_id, s.order_id
)

-- 1. Stripe has it, and the bank does not.
select
    null::uuid as account_id,
    format('event %s (%s) of %s has come', e.event_id, e.type, coalesce(e.object_id, 'something')) as expected,
    format('it has not, since %s', credits.utc_text(e.created_at)) as found
from credits.missed_events as e
cross join bounds as b
where e.created_at <= b.latest
union all
select
    u.account_id,
    u.expected,
    u.found
from credits.unbooked_objects as u
cross join bounds as b
where
    u.created_at <= b.latest
    -- The event that would tell is reported above.
    and not exists (
        select from credits.missed_events as e
        where e.object_id = u.object_id
    )
union all
-- 2. The bank has it, and Stripe does not, or says something else.
select
    s.account_id,
    format('order %s was paid by a session that Stripe has', s.order_id) as expected,
    format('Stripe has no session %s', s.checkout_session_id) as found
from sessions as s
inner join covered as c on c.kind = 'checkout.session'
where s.object_id is null and s.created_at >= c.covers_from and s.paid_at <= c.covers_until
union all
select
    s.account_id,
    format('session %s, which granted order %s, is paid', s.object_id, s.order_id) as expected,
    format('at Stripe it is %s', coalesce(s.status, 'of no status')) as found
from sessions as s
where s.object_id is not null and s.status is distinct from 'paid'
union all
select
    s.account_id,
    format('order %s was paid with %s %s', s.order_id, s.paid, s.currency) as expected,
    format('session %s: %s %s', s.object_id, coalesce(s.total::text, 'no amount'), coalesce(s.at_stripe, '')) as found
from sessions as s
where
    s.object_id is not null and s.status is not distinct from 'paid'
    and (s.total is distinct from s.paid or s.at_stripe is distinct from s.currency)
union all
select
    s.account_id,
    format('session %s names account %s and order %s', s.object_id, s.account_id, s.order_id) as expected,
    format('account %s and order %s', s.named_account, s.named_order) as found
from sessions as s
where
    s.object_id is not null
    and (s.named_account is distinct from s.account_id or s.named_order is distinct from s.order_id)
union all
select
    r.account_id,
    format('%s %s of order %s is at Stripe', r.kind, r.reversal_id, r.order_id) as expected,
    'Stripe has no such object' as found
from reversals as r
inner join covered as c on r.kind = c.kind
where r.object_id is null and r.created_at >= c.covers_from and r.created_at <= c.covers_until
union all
select
    r.account_id,
    format('%s %s of order %s is of %s', r.kind, r.reversal_id, r.order_id, r.amount) as expected,
    format('at Stripe it is of %s', coalesce(r.at_stripe::text, 'no amount')) as found
from reversals as r
where r.object_id is not null and r.amount is distinct from r.at_stripe
union all
-- 3. Paid twice: another session that names the same order is paid, too, and was not refunded.
select
    m.named_account as account_id,
    format('order %s was paid once, by session %s', m.named_order, o.checkout_session_id) as expected,
    format('session %s is paid, too', m.object_id) as found
from credits.stripe_mirror as m
inner join credits.orders as o on m.named_account = o.account_id and m.named_order = o.order_id
cross join bounds as b
where
    m.kind = 'checkout.session' and m.status = 'paid' and o.state = 'paid'
    and m.object_id is distinct from o.checkout_session_id and m.created_at <= b.latest
    and coalesce((
        select sum(x.amount)
        from credits.stripe_mirror as x
        where x.kind = 'refund' and x.status = 'succeeded' and x.payment_intent_id = m.payment_intent_id
    ), 0) < m.amount
union all
-- 4. Refunded, and the tokens are still there.
select
    r.account_id,
    format('the tokens of order %s went back with %s of its money', r.order_id, r.amount) as expected,
    format('those of %s did', o.reversed) as found
from returned as r
inner join credits.orders as o on r.account_id = o.account_id and r.order_id = o.order_id
where
    r.is_old and o.reversed < least(coalesce(r.amount, 0), coalesce(o.paid, 0))
    and not exists (
        select
        from credits.unbooked_objects as u
        where u.account_id = r.account_id and u.order_id = r.order_id
    );
comment on view audit.check_stripe is
'The books agree with Stripe''s lists, as `pgcredits stripe pull` last read them: nothing is missing or doubled on '
'either side, and amounts, currencies, accounts and states are the same. What was refunded is not spendable.';
