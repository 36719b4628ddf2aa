-- The months of finance.liability_rollforward, all by the ledger, closed or not.
create or replace view credits.ledger_months
with (security_invoker = true)
as
with sums as materialized (
    select s.*
    from credits.source_months as s
),

-- A source has a row in each month from its first one on, whether anything moved or not.
spans as (
    select
        m.currency,
        m.source,
        min(m.month) as first_month,
        greatest(
            coalesce(max(max(m.month)) over (), '-infinity'),
            coalesce(date_trunc('month', credits.clock() at time zone interval '0')::date, '-infinity')
        ) as last_month
    from sums as m
    group by m.currency, m.source
),

months as (
    select
        s.currency,
        s.source,
        g.month::date as month
    from spans as s
    cross join
        lateral generate_series(s.first_month::timestamp, s.last_month::timestamp, interval '1 month') as g (month)
),

filled as (
    select
        m.month,
        m.currency,
        m.source,
        coalesce(x.sold_tokens, 0) as sold_tokens,
        coalesce(x.recognised_tokens, 0) as recognised_tokens,
        coalesce(x.expired_tokens, 0) as expired_tokens,
        coalesce(x.refunded_tokens, 0) as refunded_tokens,
        coalesce(x.disputed_tokens, 0) as disputed_tokens,
        coalesce(x.reinstated_tokens, 0) as reinstated_tokens,
        coalesce(x.adjusted_tokens, 0) as adjusted_tokens,
        coalesce(x.late_tokens, 0) as late_tokens,
        coalesce(x.sold, 0) as sold,
        coalesce(x.recognised, 0) as recognised,
        coalesce(x.expired, 0) as expired,
        coalesce(x.refunded, 0) as refunded,
        coalesce(x.disputed, 0) as disputed,
        coalesce(x.reinstated, 0) as reinstated,
        coalesce(x.adjusted, 0) as adjusted
    from months as m
    left join sums as x on m.month = x.month and m.source = x.source and m.currency is not distinct from x.currency
),

closed as (
    select
        f.*,
        sum(
            f.sold_tokens - f.recognised_tokens - f.expired_tokens - f.refunded_tokens - f.disputed_tokens
            + f.reinstated_tokens - f.adjusted_tokens
        ) over w as closing_tokens,
        sum(
            f.sold - f.recognised - f.expired - f.refunded - f.disputed + f.reinstated - f.adjusted
        ) over w as closing
    from filled as f
    window w as (partition by f.currency, f.source order by f.month)
)

select
    c.month,
    c.currency,
    c.source,
    lag(c.closing_tokens, 1, 0) over w as opening_tokens,
    c.sold_tokens,
    c.recognised_tokens,
    c.expired_tokens,
    c.refunded_tokens,
    c.disputed_tokens,
    c.reinstated_tokens,
    c.adjusted_tokens,
    c.late_tokens,
    c.closing_tokens,
    lag(c.closing, 1, 0) over w as opening,
    c.sold,
    c.recognised,
    c.expired,
    c.refunded,
    c.disputed,
    c.reinstated,
    c.adjusted,
    c.closing
from closed as c
window w as (partition by c.currency, c.source order by c.month);
comment on view credits.ledger_months is
'The liability to users per month (UTC), currency and source, by the ledger alone: also of months that were closed.';
