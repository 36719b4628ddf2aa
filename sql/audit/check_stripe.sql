-- The books agree, in both directions, with what Stripe's lists said at the last `pgcredits stripe pull`. A bank that
-- was never compared has no rows here. What is younger than the tolerated delay may be under way.
create or replace view audit.check_stripe
with (security_invoker = true)
as
with bounds as (
    select credits.earlier(credits.clock(), s.stripe_delay) as latest
    from credits.settings as s
),

-- The paid orders, and what paid each: a session, the charge of an automatic top-up, or an invoice.
paid as (
    select
        o.account_id,
        o.order_id,
        o.paid,
        o.currency,
        o.created_at,
        o.paid_at,
        case o.kind
            when 'checkout' then 'checkout.session' when 'auto_topup' then 'payment_intent' else 'invoice'
        end as kind,
        case o.kind
            when 'checkout' then o.checkout_session_id when 'auto_topup' then o.payment_intent_id else i.invoice_id
        end as paid_by,
        coalesce(i.credited, 0) as credited
    from credits.orders as o
    left join credits.subscription_invoices as i on o.account_id = i.account_id and o.order_id = i.order_id
    where o.state = 'paid'
),

payments as (
    select
        p.*,
        m.object_id,
        m.status,
        -- The customer's balance may have paid a part of an invoice, and an invoice may credit more than it charges.
        case
            when p.kind = 'invoice'
                then greatest(coalesce(credits.signed_amount(m.payload -> 'total'), m.amount, 0) + p.credited, 0)
            else m.amount
        end as total,
        m.currency as at_stripe,
        m.named_account,
        m.named_order
    from paid as p
    left join credits.stripe_mirror as m on p.paid_by = m.object_id
    where p.paid_by is not null
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
    where
        r.kind in ('refund', 'dispute') and r.status not in ('requested', 'dropped')
        -- Stripe has no refund for what a smaller plan credited.
        and not starts_with(r.reversal_id, 'credit_')
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
    p.account_id,
    format('what paid order %s is at Stripe', p.order_id) as expected,
    format('Stripe has no %s %s', p.kind, p.paid_by) as found
from payments as p
inner join credits.covered_lists as c on p.kind = c.kind
where p.object_id is null and p.created_at >= c.covers_from and p.paid_at <= c.covers_until
union all
select
    p.account_id,
    format('%s %s, which granted order %s, is paid', p.kind, p.object_id, p.order_id) as expected,
    format('at Stripe it is %s', coalesce(p.status, 'of no status')) as found
from payments as p
inner join credits.stripe_mirror as m on p.object_id = m.object_id
where
    coalesce(p.status, '') not in ('paid', 'succeeded')
    -- What was paid after the last pull is still open in the mirror.
    and m.pulled_at >= p.paid_at
union all
select
    p.account_id,
    format('order %s was paid with %s %s', p.order_id, p.paid, p.currency) as expected,
    format('%s %s: %s %s', p.kind, p.object_id, coalesce(p.total::text, 'no amount'), coalesce(p.at_stripe, ''))
        as found
from payments as p
where
    p.object_id is not null and coalesce(p.status, '') in ('paid', 'succeeded')
    and (p.total is distinct from p.paid or p.at_stripe is distinct from p.currency)
union all
-- An invoice names only the subscription.
select
    p.account_id,
    format('%s %s names account %s and order %s', p.kind, p.object_id, p.account_id, p.order_id) as expected,
    format('account %s and order %s', p.named_account, p.named_order) as found
from payments as p
where
    p.object_id is not null and p.kind <> 'invoice'
    and (p.named_account is distinct from p.account_id or p.named_order is distinct from p.order_id)
union all
select
    r.account_id,
    format('%s %s of order %s is at Stripe', r.kind, r.reversal_id, r.order_id) as expected,
    'Stripe has no such object' as found
from reversals as r
inner join credits.covered_lists as c on r.kind = c.kind
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
    format('the tokens of order %s went back with %s of its money', r.order_id, r.amount + c.amount) as expected,
    format('those of %s did', o.reversed) as found
from returned as r
inner join credits.orders as o on r.account_id = o.account_id and r.order_id = o.order_id
cross join
    lateral (
        select coalesce(sum(x.amount), 0) as amount
        from credits.reversals as x
        where x.account_id = o.account_id and x.order_id = o.order_id and starts_with(x.reversal_id, 'credit_')
    ) as c
where
    r.is_old and o.reversed < least(coalesce(r.amount, 0) + c.amount, coalesce(o.paid, 0))
    and not exists (
        select
        from credits.unbooked_objects as u
        where u.account_id = r.account_id and u.order_id = r.order_id
    );
comment on view audit.check_stripe is
'The books agree with Stripe''s lists, as `pgcredits stripe pull` last read them: nothing is missing or doubled on
either side, and amounts, currencies, accounts and states are the same. What was refunded is not spendable.

A row means: Stripe has a payment, refund or dispute that the books do not have, or the other way round, or they
disagree on an amount, a currency or an account.

What to do: run `pgcredits stripe pull`, which applies what was missed, and audit again. docs/stripe.md says what to
do with each row that stays.';
