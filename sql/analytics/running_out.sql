-- Which accounts are about to run out of tokens, at the pace of the last seven days.
create or replace view analytics.running_out
with (security_invoker = true)
as
with clock as materialized (
    select
        c.at as ends_at,
        credits.earlier(c.at, interval '7 days') as begins_at
    from (select credits.clock() as at) as c
),

spent as (
    select
        e.account_id,
        -sum(e.tokens) as tokens,
        max(e.posted_at) filter (where e.kind = 'spend') as last_at
    from credits.entries as e
    where
        e.kind in ('spend', 'refund')
        and e.posted_at > (select c.begins_at from clock as c)
        and e.posted_at <= (select c.ends_at from clock as c)
    group by 1
    having -sum(e.tokens) > 0
),

free as (
    select
        l.account_id,
        sum(greatest(l.remaining - l.held - l.withheld, 0)) as tokens,
        min(l.expires_at) as next_expiry_at
    from credits.current_lots as l
    cross join clock as c
    where
        l.live and not l.frozen and l.effective_at <= c.ends_at
        and coalesce(l.expires_at > c.ends_at, true) and l.remaining > l.held
    group by 1
)

select
    s.account_id,
    trim_scale(coalesce(f.tokens, 0)) as available,
    trim_scale(s.tokens) as spent,
    trim_scale(p.per_day) as spent_per_day,
    round(coalesce(f.tokens, 0) / p.per_day, 1) as days_left,
    c.ends_at + least(coalesce(f.tokens, 0) / p.per_day, 36500)::double precision * interval '24 hours' as lasts_until,
    f.next_expiry_at,
    s.last_at as last_spent_at
from spent as s
cross join clock as c
inner join credits.accounts as a on s.account_id = a.account_id
inner join credits.wallets as w on s.account_id = w.account_id
left join free as f on s.account_id = f.account_id
cross join
    lateral (
        -- An account that is younger than seven days has had its own days, at least one.
        select greatest(coalesce(extract(epoch from c.ends_at - a.created_at), 0) / 86400, 1) as days
    ) as o
cross join
    lateral (
        select greatest(coalesce(round(s.tokens / least(o.days, 7), 6), 0), 0.000001) as per_day
    ) as p
where w.status <> 'closed';

comment on view analytics.running_out is
'For each account that has spent in the last seven days: how long its tokens last at this pace. '
'`where days_left <= 7` lists those that run out within a week. Closed accounts, whose users were forgotten, are '
'not in it.';
comment on column analytics.running_out.account_id is 'Says nothing about the person: see people.';
comment on column analytics.running_out.available is
'Tokens that can be spent now. Those that open holds keep, that are frozen, or whose money may go back, do not '
'count.';
comment on column analytics.running_out.spent is
'Tokens charged in the last seven times 24 hours, less those that were refunded in this time.';
comment on column analytics.running_out.spent_per_day is
'spent, divided by seven, or by the days since the account opened, at least one.';
comment on column analytics.running_out.days_left is
'available, divided by spent_per_day. 0 when there is nothing left. Tokens that expire before are counted.';
comment on column analytics.running_out.lasts_until is
'When the tokens are used up at this pace, at most a hundred years from now.';
comment on column analytics.running_out.next_expiry_at is
'When the next of these tokens expire, if nobody spends them before. Null when none expire.';
comment on column analytics.running_out.last_spent_at is 'The time of the last charge.';
