-- How the liability to users moved: what they had paid for and not used at the beginning of each month, what changed
-- it, and what is left at its end.
--
-- A closed month is shown as it was closed. An open month is worked out from the ledger, and begins with what the month
-- before it ended with.
create or replace view finance.liability_rollforward
with (security_invoker = true)
as
with moved as (
    select
        c.month,
        c.currency,
        c.source,
        c.sold_tokens,
        c.recognised_tokens,
        c.expired_tokens,
        c.refunded_tokens,
        c.disputed_tokens,
        c.reinstated_tokens,
        c.adjusted_tokens,
        c.late_tokens,
        c.sold,
        c.recognised,
        c.expired,
        c.refunded,
        c.disputed,
        c.reinstated,
        c.adjusted
    from credits.closed_sums as c
    union all
    select
        s.month,
        s.currency,
        s.source,
        s.sold_tokens,
        s.recognised_tokens,
        s.expired_tokens,
        s.refunded_tokens,
        s.disputed_tokens,
        s.reinstated_tokens,
        s.adjusted_tokens,
        s.late_tokens,
        s.sold,
        s.recognised,
        s.expired,
        s.refunded,
        s.disputed,
        s.reinstated,
        s.adjusted
    from credits.source_months as s
    where not exists (
        select from credits.closed_months as c
        where c.month >= s.month
    )
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
    from moved as m
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
    left join moved as x on m.month = x.month and m.source = x.source and m.currency is not distinct from x.currency
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
    c.source::text as source,
    exists(
        select from credits.closed_months as x
        where x.month = c.month
    ) as is_closed,
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

comment on view finance.liability_rollforward is
'The liability to users per month (UTC), currency and source of the tokens: opening + sold - recognised - expired '
'- refunded - disputed + reinstated - adjusted = closing, in tokens and in whole minor units of the currency. Tokens '
'that were given away are worth nothing. A closed month is shown as it was closed.';
comment on column finance.liability_rollforward.currency is
'The currency that was paid. Null for tokens that were given away without a purchase.';
comment on column finance.liability_rollforward.source is
'How the tokens came in: purchase, bonus, grant, welcome, promo, referral, allowance or rollover.';
comment on column finance.liability_rollforward.is_closed is
'Whether the month was closed and does not change any more.';
comment on column finance.liability_rollforward.sold_tokens is
'Tokens that came in. For rollover: tokens that went over from the period before, which the source allowance has as '
'expired.';
comment on column finance.liability_rollforward.recognised_tokens is
'Tokens used, less charges that were given back. They include tokens that repaid a debt.';
comment on column finance.liability_rollforward.expired_tokens is 'Tokens that passed their date.';
comment on column finance.liability_rollforward.refunded_tokens is
'Tokens taken back because their money was refunded, credited, or never came.';
comment on column finance.liability_rollforward.disputed_tokens is
'Tokens taken back because their money was disputed.';
comment on column finance.liability_rollforward.reinstated_tokens is
'Tokens given back because their money returned: a dispute was won, or a refund failed.';
comment on column finance.liability_rollforward.adjusted_tokens is
'Tokens that an operator voided, less those restored.';
comment on column finance.liability_rollforward.late_tokens is
'Of the change of this month: tokens that moved in an earlier month, but were booked after that month had been closed. '
'Below zero for tokens that went out.';
comment on column finance.liability_rollforward.sold is
'What was paid for them, without tax that comes on top, in minor units.';
comment on column finance.liability_rollforward.closing is 'The liability at the end of the month, in minor units.';
