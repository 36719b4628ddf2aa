-- What the accounts that opened together have paid since.
create or replace view analytics.cohort_revenue
with (security_invoker = true)
as
with members as (
    select
        s.period,
        date_trunc(s.period, a.created_at at time zone interval '0')::date as cohort,
        count(*) as accounts
    from credits.accounts as a
    cross join (values ('week'), ('month')) as s (period)
    where a.kind = 'user'
    group by 1, 2
),

sales as (
    select
        s.period,
        date_trunc(s.period, a.created_at at time zone interval '0')::date as cohort,
        date_trunc(s.period, o.paid_at at time zone interval '0')::date as paid_in,
        o.currency,
        count(distinct o.account_id) as buyers,
        count(*) as orders,
        sum(o.paid)::bigint as paid,
        sum(o.paid - o.reversed)::bigint as kept
    from credits.orders as o
    inner join credits.accounts as a on o.account_id = a.account_id
    cross join (values ('week'), ('month')) as s (period)
    -- A trial is not a purchase.
    where o.state = 'paid' and o.amount > 0 and a.kind = 'user'
    group by 1, 2, 3, 4
)

select
    b.period,
    b.cohort,
    b.paid_in,
    b.currency,
    m.accounts,
    b.buyers,
    b.orders,
    b.paid,
    b.kept,
    sum(b.kept) over so_far as kept_so_far,
    round(sum(b.kept) over so_far / m.accounts, 2) as kept_per_account
from sales as b
inner join members as m on b.period = m.period and b.cohort = m.cohort
window so_far as (partition by b.period, b.cohort, b.currency order by b.paid_in);

comment on view analytics.cohort_revenue is
'Per cohort of accounts (the week or month, UTC, in which they opened), week or month of payment, and currency: what '
'they have paid. Give a period: `where period = ''month''`.';
comment on column analytics.cohort_revenue.period is 'week or month: what cohorts and payments are counted in.';
comment on column analytics.cohort_revenue.cohort is
'The first day of the week (a Monday) or month in which the accounts opened.';
comment on column analytics.cohort_revenue.paid_in is 'The first day of the week or month in which they paid.';
comment on column analytics.cohort_revenue.accounts is 'Accounts in the cohort, with those that have paid nothing.';
comment on column analytics.cohort_revenue.buyers is 'How many of them paid in it.';
comment on column analytics.cohort_revenue.paid is 'What arrived, with tax, in minor units.';
comment on column analytics.cohort_revenue.kept is 'The same without what has gone back until now, in minor units.';
comment on column analytics.cohort_revenue.kept_so_far is 'kept, from the beginning until this week or month.';
comment on column analytics.cohort_revenue.kept_per_account is 'kept_so_far for each account of the cohort.';
