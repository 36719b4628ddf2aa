-- How fast tokens are spent, and how long the outstanding ones will last.
create or replace view analytics.burn_rate
with (security_invoker = true)
as
with moved as (
    select
        (e.effective_at at time zone interval '0')::date as day,
        -sum(e.tokens) filter (where e.kind in ('spend', 'refund')) as spent,
        sum(e.tokens) filter (
            where e.kind in (
                'purchase', 'bonus', 'grant', 'welcome', 'promo', 'referral', 'allowance', 'rollover', 'adjustment'
            )
        ) as granted,
        -sum(e.tokens) filter (where e.kind = 'expire') as expired,
        sum(e.tokens) as change
    from credits.entries as e
    group by 1
),

days as (
    select d.day::date as day
    from (
        select
            min(m.day) as first_day,
            greatest(coalesce(max(m.day), '-infinity'), (credits.clock() at time zone interval '0')::date) as last_day
        from moved as m
    ) as s
    -- Days without any entry count as well.
    cross join lateral generate_series(s.first_day::timestamp, s.last_day::timestamp, interval '1 day') as d (day)
),

daily as (
    select
        d.day,
        coalesce(m.spent, 0) as spent,
        coalesce(m.granted, 0) as granted,
        coalesce(m.expired, 0) as expired,
        avg(coalesce(m.spent, 0)) over (order by d.day rows between 6 preceding and current row) as spent_per_day,
        sum(coalesce(m.change, 0)) over (order by d.day) as outstanding
    from days as d
    left join moved as m on d.day = m.day
)

select
    b.day,
    b.spent,
    b.granted,
    b.expired,
    round(b.spent_per_day, 6) as spent_per_day,
    b.outstanding,
    round(b.outstanding / nullif(b.spent_per_day, 0), 1) as days_left
from daily as b;

comment on view analytics.burn_rate is
'Per day (UTC), from the first entry until today: tokens spent, granted and expired, how fast they are spent, and how '
'long the outstanding ones would last.';
comment on column analytics.burn_rate.spent is 'Tokens charged, less those that were refunded on the day.';
comment on column analytics.burn_rate.granted is 'Tokens bought or given.';
comment on column analytics.burn_rate.expired is
'Tokens whose date passed on this day, if their expiry has been booked.';
comment on column analytics.burn_rate.spent_per_day is
'Average of spent over this day and the six days before, or fewer at the start. Today counts as a whole day.';
comment on column analytics.burn_rate.outstanding is 'Sum of all balances at the end of the day.';
comment on column analytics.burn_rate.days_left is
'How many days the outstanding tokens last at spent_per_day. Null when nothing is spent.';
