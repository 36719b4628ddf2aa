-- Stripe's balance tells of the same money as its charges, refunds, disputes and payouts, and its charges tell of the
-- same money as our orders. As of the last `pgcredits stripe pull`, and only for the time that the lists cover.
--
-- Money that Stripe converted has another amount and currency in the balance: of it, only the direction is compared.
-- A list does not say which transactions a payout pays out, so a payout is compared with its own transaction.
create or replace view audit.check_stripe_balance
with (security_invoker = true)
as
with tolerance as (
    select
        s.stripe_delay,
        credits.earlier(credits.clock(), s.stripe_delay) as latest
    from credits.settings as s
),

-- Whose money a balance transaction is, by its type. Fees and transfers have no such object.
kinds (type, kind) as (
    values
    ('charge', 'charge'), ('payment', 'charge'), ('payment_failure_refund', 'charge'),
    ('refund', 'refund'), ('payment_refund', 'refund'), ('refund_failure', 'refund'),
    ('payout', 'payout'), ('payout_failure', 'payout'), ('payout_cancel', 'payout')
),

transactions as (
    select
        m.object_id,
        m.amount,
        m.currency,
        m.charge_id as source_id,
        m.created_at,
        m.payload ->> 'type' as type,
        coalesce(m.payload -> 'exchange_rate', 'null') <> 'null' as is_converted,
        k.kind
    from credits.stripe_mirror as m
    left join kinds as k on m.payload ->> 'type' = k.type
    where m.kind = 'balance_transaction'
),

-- Each balance transaction that an object names, beside the one that the balance has.
movements as (
    select
        n.*,
        t.object_id is not null as is_there,
        t.source_id,
        t.amount as moved,
        t.currency as moved_currency,
        coalesce(t.is_converted, false) as is_converted,
        (
            select s.account_id
            from credits.stripe_objects as s
            where s.object_id in (n.object_id, n.payment_intent_id, n.charge_id)
            order by s.object_id
            limit 1
        ) as account_id
    from credits.stripe_movements as n
    left join transactions as t on n.transaction_id = t.object_id
),

-- What was charged for each paid order.
charged as (
    select
        o.account_id,
        o.order_id,
        o.payment_intent_id,
        o.kind,
        o.paid,
        o.currency,
        o.created_at,
        o.paid_at,
        c.charges,
        c.amount,
        c.currencies,
        c.pulled_at
    from credits.orders as o
    cross join
        lateral (
            select
                count(*) as charges,
                sum(coalesce(nullif(credits.signed_amount(m.payload -> 'amount_captured'), 0), m.amount)) as amount,
                string_agg(distinct m.currency, ', ' order by m.currency) as currencies,
                min(m.pulled_at) as pulled_at
            from credits.stripe_mirror as m
            where
                m.payment_intent_id = o.payment_intent_id and m.kind = 'charge'
                -- A charge that failed later has succeeded before.
                and (m.status = 'succeeded' or coalesce(m.payload -> 'failure_balance_transaction', 'null') <> 'null')
        ) as c
    where o.state = 'paid' and o.payment_intent_id is not null and o.paid > 0
)

-- 1. Our orders and Stripe's charges. An invoice may be paid by several payments, and its order names one of them.
select
    c.account_id,
    format('the payment %s of order %s was charged', c.payment_intent_id, c.order_id) as expected,
    'Stripe has no charge of it that succeeded' as found
from charged as c
inner join credits.covered_lists as l on l.kind = 'charge'
where c.charges = 0 and c.created_at >= l.covers_from and c.paid_at <= l.covers_until
union all
select
    c.account_id,
    format('%s %s were charged for order %s, as was paid', c.paid, c.currency, c.order_id) as expected,
    format('Stripe has charged %s %s', coalesce(c.amount::text, 'no amount'), coalesce(c.currencies, '')) as found
from charged as c
where
    c.charges > 0 and c.kind <> 'subscription' and c.pulled_at >= c.paid_at
    and (c.amount is distinct from c.paid or c.currencies is distinct from c.currency)
union all
-- 2. A transaction that an object names is there, and says the same.
select
    m.account_id,
    format('balance transaction %s of %s %s is in the balance', m.transaction_id, m.kind, m.object_id) as expected,
    'Stripe has no such balance transaction' as found
from movements as m
inner join credits.covered_lists as l on l.kind = 'balance_transaction'
where
    not m.is_there and m.created_at >= l.covers_from and m.created_at <= l.covers_until
    -- The balance was read after the object.
    and m.pulled_at <= l.complete_until
union all
select
    m.account_id,
    format(
        'balance transaction %s of %s %s moves %s %s',
        m.transaction_id, m.kind, m.object_id, coalesce(m.amount::text, 'no amount'), coalesce(m.currency, '')
    ) as expected,
    format(
        'it moves %s %s of %s', coalesce(m.moved::text, 'no amount'), coalesce(m.moved_currency, ''),
        coalesce(m.source_id, 'nothing')
    ) as found
from movements as m
where
    m.is_there and (
        -- Older versions of the API name the charge of a dispute.
        (m.source_id = m.object_id or (m.kind = 'dispute' and m.source_id = m.charge_id)) is not true
        or (sign(m.moved) = sign(m.amount)) is not true
        or (not m.is_converted and (m.moved is distinct from m.amount or m.moved_currency is distinct from m.currency))
    )
union all
select
    (
        select s.account_id
        from credits.stripe_objects as s
        where s.object_id in (m.object_id, m.payment_intent_id)
        order by s.object_id
        limit 1
    ) as account_id,
    format('charge %s of %s %s has a balance transaction', m.object_id, m.amount, m.currency) as expected,
    'it names none' as found
from credits.stripe_mirror as m
cross join tolerance as b
where
    m.kind = 'charge' and m.status = 'succeeded' and m.amount > 0 and (m.payload -> 'captured' = 'true') is true
    and credits.stripe_id(m.payload -> 'balance_transaction') is null
    -- Stripe captures a card's payment within an hour.
    and m.created_at <= credits.earlier(m.pulled_at, b.stripe_delay)
union all
-- 3. A transaction of the balance belongs to an object that there is, and that names it.
select
    null as account_id,
    format('%s %s, of balance transaction %s, is at Stripe', t.kind, t.source_id, t.object_id) as expected,
    format('Stripe has no such %s, and %s %s have moved', t.kind, t.amount, t.currency) as found
from transactions as t
inner join credits.covered_lists as l on t.kind = l.kind
where
    not exists (
        select from credits.stripe_mirror as m
        where m.object_id = t.source_id
    )
    -- The object may be older than its transaction, by as long as such an object changes.
    and l.covers_from <= credits.earlier(t.created_at, l.changes_for) and t.created_at <= l.covers_until
union all
select
    (
        select s.account_id
        from credits.stripe_objects as s
        where s.object_id in (m.object_id, m.payment_intent_id, m.charge_id)
        order by s.object_id
        limit 1
    ) as account_id,
    format('%s %s names each balance transaction of its money', m.kind, m.object_id) as expected,
    format('not %s, which moves %s %s (%s)', t.object_id, t.amount, t.currency, t.type) as found
from transactions as t
inner join credits.stripe_mirror as m on t.source_id = m.object_id
cross join tolerance as b
where
    (m.kind = t.kind or (m.kind = 'dispute' and t.type = 'adjustment')) is true
    -- The object was read after its transaction was made.
    and t.created_at <= credits.earlier(m.pulled_at, b.stripe_delay) and t.created_at <= b.latest
    and not exists (
        select from credits.stripe_movements as n
        where n.object_id = m.object_id and n.transaction_id = t.object_id
    );
comment on view audit.check_stripe_balance is
'Stripe''s balance, charges, refunds, disputes and payouts, as `pgcredits stripe pull` last read them, tell of the
same money: each movement of the balance belongs to one of them and has its amount and currency, and each order was
charged what was paid for it.

A row means: money moved at Stripe that no charge, refund, dispute or payout explains, or an order was charged
something else than was paid for it.

What to do: run `pgcredits stripe pull` and audit again. Look up the balance transaction in Stripe''s dashboard if
the row stays.';
