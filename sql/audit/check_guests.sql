-- No guest use was given that was not there to give: with those before it in its window it is within what was allowed
-- then, for its device and for its network.
create or replace view audit.check_guests
with (security_invoker = true)
as
select
    null::uuid as account_id,
    format(
        'guest %s, use %s: at most %s in %s',
        c.guest_id, c.use_id, c.per_device, credits.interval_text(c.sliding_window)
    ) as expected,
    format('%s uses', c.uses) as found
from (
    select
        u.*,
        (
            select count(*)
            from credits.guest_uses as o
            where
                o.guest_id = u.guest_id
                and o.used_at <= u.used_at and o.used_at > credits.earlier(u.used_at, u.sliding_window)
                and (o.state <> 'released' or o.finished_at > u.used_at)
        ) as uses
    from credits.guest_uses as u
) as c
where c.uses > c.per_device
union all
select
    null as account_id,
    format(
        'network %s, use %s: at most %s in %s',
        c.network_id, c.use_id, c.per_network, credits.interval_text(c.sliding_window)
    ) as expected,
    format('%s uses', c.uses) as found
from (
    select
        u.*,
        (
            select count(*)
            from credits.guest_uses as o
            where
                o.network_id = u.network_id
                and o.used_at <= u.used_at and o.used_at > credits.earlier(u.used_at, u.sliding_window)
                and (o.state <> 'released' or o.finished_at > u.used_at)
        ) as uses
    from credits.guest_uses as u
) as c
where c.uses > c.per_network;
comment on view audit.check_guests is
'Every use of a guest was within the limits of its device and its network.';
