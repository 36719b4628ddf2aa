-- What Stripe has and the books lack.
create or replace function api.missing_from_stripe()
returns api.stripe_missing
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_missing api.stripe_missing;
begin
    perform credits.require_service('may compare the books with Stripe');
    v_missing.events := array(
        select m.event_id from credits.missed_events as m where m.is_there order by m.created_at, m.event_id
    );
    v_missing.objects := array(
        select u.object_id from credits.unbooked_objects as u order by u.created_at, u.object_id
    );
    return v_missing;
end
$$;
comment on function api.missing_from_stripe() is
'Say what Stripe''s lists have and the books lack. For services: `pgcredits stripe pull` calls it.

events: ids of events that the bank did not get. objects: ids of payments, refunds and disputes that the books do
not agree with. Give each to replay_from_stripe: the events first, because they may settle the objects.
Raises PT403 not_yours.';
