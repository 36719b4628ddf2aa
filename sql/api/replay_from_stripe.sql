-- An event that the bank did not get is applied, as if it came now. So is what an object says whose events are gone.
create or replace function api.replay_from_stripe(
    event_id text default null,
    object_id text default null
)
returns api.event_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_event credits.stripe_mirror_events;
    v_object jsonb;
    v_receipt api.event_receipt;
begin
    perform credits.require_service('may replay Stripe''s events');
    if num_nonnulls(replay_from_stripe.event_id, replay_from_stripe.object_id) <> 1 then
        perform credits.fail(422, 'bad_page', 'name either an event or an object');
    elsif replay_from_stripe.event_id is not null then
        select m.* into v_event
        from credits.stripe_mirror_events as m
        where m.event_id = replay_from_stripe.event_id and m.payload is not null;
        v_object := v_event.payload;
    else
        v_object := credits.event_of_object(replay_from_stripe.object_id);
    end if;
    if v_object is null then
        perform credits.fail(404, 'unknown_event', 'the mirror has no such event or object');
    end if;
    v_receipt := api.apply_stripe_event(v_object, v_event.original);
    update credits.stripe_mirror_events as m
    set payload = null, original = null
    where m.event_id = v_receipt.event_id;
    return v_receipt;
end
$$;
comment on function api.replay_from_stripe(text, text) is
'Apply an event that the bank did not get, or what an object at Stripe says whose events are gone. For services:
`pgcredits stripe pull` calls it. Safe to repeat.

Name one of the two, as missing_from_stripe gives them. Answers as apply_stripe_event does.
Raises PT404 unknown_event, PT422 bad_page, bad_event, foreign_account or wrong_mode, PT403 not_yours, PT503 busy.';
