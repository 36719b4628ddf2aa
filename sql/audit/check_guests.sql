-- Every use of a guest was allowed. Together with the uses before it in its window, it was within the limits of that
-- time, for its device and for its network.
create or replace view audit.check_guests
with (security_invoker = true)
as
with uses_in_window as (
    select
        used.*,
        (
            select count(*)
            from credits.guest_uses as other
            where
                other.guest_id = used.guest_id
                and other.used_at <= used.used_at
                and other.used_at > credits.earlier(used.used_at, used.sliding_window)
                and (other.state <> 'released' or other.finished_at > used.used_at)
        ) as of_device,
        (
            select count(*)
            from credits.guest_uses as other
            where
                other.network_id = used.network_id
                and other.used_at <= used.used_at
                and other.used_at > credits.earlier(used.used_at, used.sliding_window)
                and (other.state <> 'released' or other.finished_at > used.used_at)
        ) as of_network
    from credits.guest_uses as used
)

select
    null::uuid as account_id,
    format(
        'guest %s, use %s: at most %s in %s',
        used.guest_id, used.use_id, used.per_device, credits.interval_text(used.sliding_window)
    ) as expected,
    format('%s uses', used.of_device) as found
from uses_in_window as used
where used.of_device > used.per_device
union all
select
    null as account_id,
    format(
        'network %s, use %s: at most %s in %s',
        used.network_id, used.use_id, used.per_network, credits.interval_text(used.sliding_window)
    ) as expected,
    format('%s uses', used.of_network) as found
from uses_in_window as used
where used.of_network > used.per_network;
comment on view audit.check_guests is
'Every use of a guest was within the limits of its device and its network.

A row means: a guest used a module more often than the limits of that time allow.

What to do: see who wrote the use: only api.guest_consume counts the uses before it. It cost nobody tokens.';
