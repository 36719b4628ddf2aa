-- How often modules fail, and how long they take.
create or replace view analytics.module_reliability
with (security_invoker = true)
as
with services as (
    select x.rolname
    from pg_catalog.pg_roles as x
    where pg_has_role(x.oid, 'service_role', 'member')
),

captures as (
    select
        h.account_id,
        s.seq
    from credits.holds as h
    cross join lateral unnest(h.seqs) as s (seq)
),

outcomes as (
    -- What was charged, or done with the user's own key, worked: failed work is not charged.
    select
        e.posted_at as ended_at,
        e.module_id,
        true as succeeded,
        d.duration_ms
    from credits.entries as e
    left join credits.charge_durations() as d on e.account_id = d.account_id and e.seq = d.seq
    left join captures as c on e.account_id = c.account_id and e.seq = c.seq
    where e.kind in ('spend', 'byok') and c.seq is null
    union all
    -- A hold counts once, when it ends: captured it worked, however many its captures were. It failed when its reason
    -- says so, or when nobody said how it ended; released for another reason it was called off. What users do with
    -- holds of their own makes no failure, and nobody knows how long it took.
    select
        s.ended_at,
        h.module_id,
        h.state = 'captured' or h.late as succeeded,
        case
            when h.actor in (select r.rolname from services as r)
                then extract(epoch from s.ended_at - h.created_at) * 1000
        end as duration_ms
    from credits.holds as h
    cross join lateral (select coalesce(h.finished_at, h.expires_at) as ended_at) as s
    where
        h.state = 'captured' or h.late
        or (
            h.actor in (select r.rolname from services as r)
            and (
                h.failed or h.state = 'expired' or (h.state = 'open' and h.expires_at <= credits.clock(h.account_id))
            )
        )
    union all
    select
        f.failed_at as ended_at,
        f.module_id,
        false as succeeded,
        f.duration_ms
    from credits.failures as f
    union all
    -- A guest's use that is still reserved has not ended.
    select
        g.finished_at as ended_at,
        g.module_id,
        g.state = 'confirmed' as succeeded,
        extract(epoch from g.finished_at - g.used_at) * 1000 as duration_ms
    from credits.guest_uses as g
    where g.state <> 'reserved'
)

select
    (o.ended_at at time zone 'UTC')::date as day,
    o.module_id,
    count(*) filter (where o.succeeded) as succeeded,
    count(*) filter (where not o.succeeded) as failed,
    round(count(*) filter (where not o.succeeded)::numeric / count(*), 4) as failure_rate,
    round(avg(o.duration_ms) filter (where o.succeeded), 3) as mean_duration_ms,
    round(avg(o.duration_ms) filter (where not o.succeeded), 3) as mean_duration_of_failed_ms
from outcomes as o
group by 1, 2;

comment on view analytics.module_reliability is
'Per day (UTC) and module: uses that worked and uses that failed, guests'' among them, and how long they took.';
comment on column analytics.module_reliability.succeeded is
'Charges, holds captured, uses with the user''s own key, and uses of guests that were confirmed.';
comment on column analytics.module_reliability.failed is
'What services reported as failed, their holds that expired or were released because the work had failed, and released '
'uses of guests.';
comment on column analytics.module_reliability.failure_rate is 'failed as share of both, 0 to 1.';
comment on column analytics.module_reliability.mean_duration_ms is
'Mean time of those that worked, as services measured it (duration_ms in the metadata of a charge; of a hold the time '
'from its beginning to its end, of a guest from reservation to confirmation); null when none was.';
comment on column analytics.module_reliability.mean_duration_of_failed_ms is 'The same of those that failed.';
