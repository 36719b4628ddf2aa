-- How often modules fail, how long they take, and how many uses have not ended yet.
create or replace view analytics.module_reliability
with (security_invoker = true)
as
with services as (
    select x.rolname
    from pg_catalog.pg_roles as x
    where pg_has_role(x.oid, 'spender', 'member')
),

outcomes as (
    -- A use that was charged, or done with the user's own key, succeeded: failed work is not charged.
    select
        e.posted_at as began_at,
        e.module_id,
        'succeeded' as outcome,
        d.duration_ms
    from credits.entries as e
    left join credits.charge_durations() as d on e.account_id = d.account_id and e.seq = d.seq
    where e.kind in ('spend', 'byok') and e.hold_id is null
    union all
    -- A hold counts once. If it was captured, it succeeded, however many captures it has. It failed if its reason says
    -- so, or if nobody said how it ended. If it was released for another reason, it was called off. Holds that users
    -- made themselves do not count as failures, and nobody knows how long they took.
    select
        h.created_at as began_at,
        h.module_id,
        case
            when h.state = 'captured' or h.late then 'succeeded'
            when h.state = 'open' and h.expires_at > credits.clock(h.account_id) then 'open'
            when s.rolname is not null and (h.failed or h.state <> 'released') then 'failed'
            else 'called off'
        end as outcome,
        case
            when s.rolname is not null
                then extract(epoch from coalesce(h.finished_at, h.expires_at) - h.created_at) * 1000
        end as duration_ms
    from credits.holds as h
    left join services as s on h.actor = s.rolname
    union all
    select
        f.failed_at as began_at,
        f.module_id,
        'failed' as outcome,
        f.duration_ms
    from credits.failures as f
    union all
    select
        g.used_at as began_at,
        g.module_id,
        case g.state when 'confirmed' then 'succeeded' when 'released' then 'failed' else 'open' end as outcome,
        extract(epoch from g.finished_at - g.used_at) * 1000 as duration_ms
    from credits.guest_uses as g
)

select
    (o.began_at at time zone interval '0')::date as day,
    o.module_id,
    count(*) filter (where o.outcome = 'succeeded') as succeeded,
    count(*) filter (where o.outcome = 'failed') as failed,
    round(
        count(*) filter (where o.outcome = 'failed')::numeric
        / nullif(count(*) filter (where o.outcome in ('succeeded', 'failed')), 0), 4
    ) as failure_rate,
    round(avg(o.duration_ms) filter (where o.outcome = 'succeeded'), 3) as mean_duration_ms,
    round(avg(o.duration_ms) filter (where o.outcome = 'failed'), 3) as mean_duration_of_failed_ms,
    count(*) as started,
    count(*) filter (where o.outcome = 'called off') as called_off,
    count(*) filter (where o.outcome = 'open') as open
from outcomes as o
group by 1, 2;

comment on view analytics.module_reliability is
'Per day (UTC) on which they began, and module: uses that succeeded, that failed, and that have not ended yet, '
'including those of guests, and how long they took. started = succeeded + failed + called_off + open.';
comment on column analytics.module_reliability.succeeded is
'Charges, captured holds, uses with the user''s own key, and confirmed uses of guests.';
comment on column analytics.module_reliability.failed is
'Uses that services reported as failed, their holds that expired or were released because the work had failed, and '
'released uses of guests. A hold that is captured after its expiry counts as succeeded.';
comment on column analytics.module_reliability.failure_rate is
'failed as a share of succeeded and failed, 0 to 1. Null while there are neither.';
comment on column analytics.module_reliability.mean_duration_ms is
'Mean duration of those that succeeded, as services measured it: duration_ms in the metadata of a charge, the time '
'from the beginning of a hold to its end, or from reservation to confirmation of a guest''s use. Null when none was '
'measured.';
comment on column analytics.module_reliability.mean_duration_of_failed_ms is
'The same for those that failed. A hold that nobody ended lasted until it expired.';
comment on column analytics.module_reliability.started is
'All of them. Holds and uses of guests count when they began, charges without a hold and reported failures when they '
'were written.';
comment on column analytics.module_reliability.called_off is
'Holds that were released for a reason other than a failure, and holds of users that were not captured.';
comment on column analytics.module_reliability.open is
'Holds that have not ended, and uses of guests whose end nobody has reported.';
