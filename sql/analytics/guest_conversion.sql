-- How many guests sign up.
create or replace view analytics.guest_conversion
with (security_invoker = true)
as
select
    date_trunc('month', g.first_seen_at at time zone interval '0')::date as month,
    count(*) as guests,
    count(*) filter (where u.guest_id is not null) as users,
    coalesce(sum(u.uses), 0)::bigint as uses,
    count(*) filter (where u.used_up) as used_up,
    count(*) filter (where g.linked_to is not null) as signed_up,
    round(count(*) filter (where g.linked_to is not null)::numeric / count(*), 4) as conversion
from credits.guests as g
left join (
    select
        x.guest_id,
        count(*) as uses,
        coalesce(bool_or(x.used_at - x.earlier < x.sliding_window), false) as used_up
    from (
        select
            y.guest_id,
            y.used_at,
            y.sliding_window,
            -- Counting back from this use: the first of as many uses as a device may have.
            lag(y.used_at, y.per_device::integer - 1) over (
                partition by y.guest_id order by y.used_at, y.use_id
            ) as earlier
        from credits.guest_uses as y
        where y.state <> 'released'
    ) as x
    group by 1
) as u on g.guest_id = u.guest_id
group by 1;

comment on view analytics.guest_conversion is
'Per month (UTC) in which they came: guests, and how many of them have signed up. An analyst of segments sees only '
'guests who signed up for an account in these segments, so the conversion means nothing to them.';
comment on column analytics.guest_conversion.guests is 'Devices that came without an account.';
comment on column analytics.guest_conversion.users is 'Guests with at least one use that did not fail.';
comment on column analytics.guest_conversion.uses is 'Their uses that did not fail.';
comment on column analytics.guest_conversion.used_up is
'Guests whose device has at some time had all the uses that it was allowed.';
comment on column analytics.guest_conversion.signed_up is 'Guests who have signed up since, whenever that was.';
comment on column analytics.guest_conversion.conversion is 'signed_up as a share of guests, 0 to 1.';
