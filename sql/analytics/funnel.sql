-- How far people come: as a guest, with an account, to a use, to a purchase, to a second one.
create or replace view analytics.funnel
with (security_invoker = true)
as
with visits as (
    select
        g.linked_to as account_id,
        min(g.first_seen_at) as first_seen_at
    from credits.guests as g
    where g.linked_to is not null
    group by 1
),

purchases as (
    select
        o.account_id,
        count(*) as orders
    from credits.orders as o
    -- A trial is not a purchase.
    where o.state = 'paid' and o.amount > 0
    group by 1
),

users as (
    select e.account_id
    from credits.entries as e
    where e.kind in ('spend', 'byok')
    group by 1
),

people as (
    select
        g.first_seen_at as came_at,
        true as was_guest,
        false as has_account,
        false as has_used,
        0 as orders
    from credits.guests as g
    where g.linked_to is null
    union all
    select
        case when (v.first_seen_at < a.created_at) is true then v.first_seen_at else a.created_at end as came_at,
        v.account_id is not null as was_guest,
        true as has_account,
        u.account_id is not null as has_used,
        coalesce(p.orders, 0) as orders
    from credits.accounts as a
    left join visits as v on a.account_id = v.account_id
    left join users as u on a.account_id = u.account_id
    left join purchases as p on a.account_id = p.account_id
    where a.kind = 'user'
)

select
    s.period,
    date_trunc(s.period, p.came_at at time zone interval '0')::date as came_in,
    count(*) as came,
    count(*) filter (where p.was_guest) as guests,
    count(*) filter (where p.was_guest and p.has_account) as guests_signed_up,
    count(*) filter (where p.has_account) as signed_up,
    count(*) filter (where p.has_used) as used,
    count(*) filter (where p.orders > 0) as bought,
    count(*) filter (where p.orders > 1) as bought_again
from people as p
cross join (values ('week'), ('month')) as s (period)
group by 1, 2;

comment on view analytics.funnel is
'Per week or month (UTC) in which people came: how many of them have since signed up, used something, bought '
'something, and bought again. The order of the steps does not matter. '
'Give a period: `where period = ''month''`. An analyst of segments sees only guests who signed up.';
comment on column analytics.funnel.period is 'week or month: what came_in is counted in.';
comment on column analytics.funnel.came_in is
'The first day of the week (a Monday) or month in which they were first seen, as a guest or with their account.';
comment on column analytics.funnel.came is 'Accounts, and guests without one. Two devices of a guest are two.';
comment on column analytics.funnel.guests is 'How many of them began as guests.';
comment on column analytics.funnel.guests_signed_up is 'Guests who have an account now.';
comment on column analytics.funnel.signed_up is 'All who have an account now.';
comment on column analytics.funnel.used is 'Accounts with a charge, or with a use with the user''s own key.';
comment on column analytics.funnel.bought is 'Accounts with a purchase. A trial is not one.';
comment on column analytics.funnel.bought_again is 'Accounts with at least two.';
