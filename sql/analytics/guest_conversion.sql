-- How many guests sign up.
create or replace view analytics.guest_conversion
with (security_invoker = true)
as
select
    date_trunc('month', g.first_seen_at at time zone 'UTC')::date as month,
    count(*) as guests,
    count(*) filter (where u.guest_id is not null) as users,
    coalesce(sum(u.uses), 0)::bigint as uses,
    count(*) filter (where g.linked_to is not null) as signed_up,
    round(count(*) filter (where g.linked_to is not null)::numeric / count(*), 4) as conversion
from credits.guests as g
left join (
    select
        x.guest_id,
        count(*) as uses
    from credits.guest_uses as x
    where x.state <> 'released'
    group by 1
) as u on g.guest_id = u.guest_id
group by 1;

comment on view analytics.guest_conversion is
'Per month (UTC) in which they came: guests, and how many of them have signed up. An analyst of segments sees only the '
'guests who signed up for an account in them, and so no conversion worth the name.';
comment on column analytics.guest_conversion.guests is 'Devices that came without an account.';
comment on column analytics.guest_conversion.users is 'Guests with at least one use that did not fail.';
comment on column analytics.guest_conversion.uses is 'Their uses that did not fail.';
comment on column analytics.guest_conversion.signed_up is 'Guests who have signed up since, whenever that was.';
comment on column analytics.guest_conversion.conversion is 'signed_up as share of guests, 0 to 1.';
