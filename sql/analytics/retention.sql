-- How many of the accounts that opened together are still active later.
create or replace view analytics.retention
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

active as (
    select
        u.period,
        date_trunc(u.period, a.created_at at time zone interval '0')::date as cohort,
        u.began_on,
        count(*) filter (where u.uses > 0) as accounts,
        sum(u.tokens) as tokens
    from (
        select
            s.period,
            e.account_id,
            date_trunc(s.period, e.posted_at at time zone interval '0')::date as began_on,
            count(*) filter (where e.kind <> 'refund') as uses,
            -sum(e.tokens) as tokens
        from credits.entries as e
        cross join (values ('week'), ('month')) as s (period)
        where e.kind in ('spend', 'byok', 'refund')
        group by 1, 2, 3
    ) as u
    inner join credits.accounts as a on u.account_id = a.account_id
    where a.kind = 'user'
    group by 1, 2, 3
)

select
    m.period,
    m.cohort,
    (d.place - 1)::integer as age,
    m.accounts,
    coalesce(x.accounts, 0) as active,
    round(coalesce(x.accounts, 0)::numeric / m.accounts, 4) as retention,
    coalesce(x.tokens, 0) as tokens
from members as m
cross join
    lateral generate_series(
        m.cohort::timestamp,
        credits.clock() at time zone interval '0',
        case m.period when 'week' then interval '7 days' else interval '1 month' end
    ) with ordinality as d (began_on, place)
left join active as x on m.period = x.period and m.cohort = x.cohort and d.began_on::date = x.began_on;

comment on view analytics.retention is
'Per cohort of accounts (the week or month, UTC, in which they opened) and age: how many of them used anything then. '
'Give a period: `where period = ''month''`.';
comment on column analytics.retention.period is 'week or month: what cohorts and ages are counted in.';
comment on column analytics.retention.cohort is
'The first day of the week (a Monday) or month in which the accounts opened.';
comment on column analytics.retention.age is 'How many weeks or months later. 0 is the cohort''s own.';
comment on column analytics.retention.accounts is 'Accounts in the cohort.';
comment on column analytics.retention.active is
'How many of them used anything in the week or month of this age: charges, and uses with the user''s own key.';
comment on column analytics.retention.retention is 'active as a share of accounts, 0 to 1.';
comment on column analytics.retention.tokens is
'Tokens charged to them in the week or month of this age, less those that were refunded in it.';
