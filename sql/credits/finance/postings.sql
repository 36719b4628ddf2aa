-- The journal's postings, worked out of the ledger. Each event has two sides that are equal, in each period and
-- currency.
--
--   sale        cash            D what was paid, with tax
--               deferred_revenue C what the tokens are worth          tax C the rest
--   use         deferred_revenue D, revenue C
--   expiry      deferred_revenue D, breakage C. Tokens that go over to the next period of a plan come back the same way
--   money_back  cash            C what came back: refunds, disputes, failed payments, and credits of a plan. D what
--                                 returned after that
--               tax             D its share
--               deferred_revenue D what the tokens taken back are worth
--               refunds         D the rest: the tokens had been used, or had expired
--   adjustment  deferred_revenue D, adjustments C
create or replace function credits.postings(p_unit text, p_until timestamptz)
returns table (period date, currency text, event text, account text, debit numeric, credit numeric)
language sql
stable
begin atomic
    with moved as (
        select
            s.account_id,
            s.order_id,
            s.period,
            s.currency,
            s.source,
            s.way,
            s.money
        from credits.lot_sums(p_unit, p_until) as s
        where s.currency is not null
    ),

    -- Every movement of a lot is a posting to deferred_revenue, and one to the other side.
    pairs as (
        select
            m.period,
            m.currency,
            k.event,
            k.account,
            -m.money as amount
        from moved as m
        inner join (
            values
            ('granted', false, 'sale', 'tax'), ('granted', true, 'expiry', 'breakage'),
            ('used', null, 'use', 'revenue'), ('expired', null, 'expiry', 'breakage'),
            ('refunded', null, 'money_back', 'refunds'), ('disputed', null, 'money_back', 'refunds'),
            ('reinstated', null, 'money_back', 'refunds'), ('adjusted', null, 'adjustment', 'adjustments')
        ) as k (way, went_over, event, account)
            on m.way = k.way and coalesce(k.went_over = (m.source = 'rollover'), true)
    ),

    -- What was paid for an order. The worth of its lot lowers the tax again.
    paid as (
        select
            m.period,
            m.currency,
            coalesce(o.paid, 0) as amount
        from moved as m
        inner join credits.orders as o on m.account_id = o.account_id and m.order_id = o.order_id
        where m.way = 'granted' and m.source in ('purchase', 'allowance')
    ),

    returned as (
        select
            date_trunc(p_unit, r.at at time zone interval '0')::date as period,
            r.currency,
            r.amount,
            r.tax
        from credits.money_with_tax as r
        where r.at <= p_until
    ),

    sides as (
        select
            p.period,
            p.currency,
            p.event,
            x.account,
            x.amount
        from pairs as p
        cross join lateral (values ('deferred_revenue', p.amount), (p.account, -p.amount)) as x (account, amount)
        union all
        select
            p.period,
            p.currency,
            'sale' as event,
            x.account,
            x.amount
        from paid as p
        cross join lateral (values ('cash', p.amount), ('tax', -p.amount)) as x (account, amount)
        union all
        select
            r.period,
            r.currency,
            'money_back' as event,
            x.account,
            x.amount
        from returned as r
        cross join
            lateral (
                values ('cash', -r.amount), ('tax', r.tax), ('refunds', r.amount - r.tax)
            ) as x (account, amount)
    )

    select
        s.period,
        s.currency,
        s.event,
        s.account,
        case when (sum(s.amount) > 0) is true then sum(s.amount) else 0 end as debit,
        case when (sum(s.amount) < 0) is true then -sum(s.amount) else 0 end as credit
    from sides as s
    group by s.period, s.currency, s.event, s.account
    having sum(s.amount) is distinct from 0;
end;
comment on function credits.postings(text, timestamptz) is
'The postings of the journal per period (p_unit: day, month …, UTC), currency and event until p_until, in minor units. '
'The debits of an event are its credits.';
