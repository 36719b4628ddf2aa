-- Decide that nothing more is to be done about an event that is parked or waits.
create or replace function api.dismiss_event(event_id text, reason text)
returns api.event_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_event credits.stripe_events;
begin
    perform credits.check_decision(dismiss_event.reason);
    v_event := credits.lock_event(dismiss_event.event_id);
    if (v_event.outcome = 'dismissed') is not true then
        if (v_event.outcome in ('parked', 'waiting', 'unmatched')) is not true then
            perform credits.fail(
                409, 'event_closed', 'this event is not waiting for a decision',
                json_build_object('outcome', v_event.outcome)
            );
        end if;
        update credits.stripe_events as e set outcome = 'dismissed' where e.event_id = v_event.event_id;
        perform credits.note_decision(v_event.event_id, 'dismissed', dismiss_event.reason, 'dismissed');
    end if;
    return row(v_event.event_id, v_event.type, 'dismissed', v_event.order_id, null)::api.event_receipt;
end
$$;
comment on function api.dismiss_event(text, text) is
'Take a Stripe event from the list of those that need a decision (audit.parked). For operators. It moves nothing any '
'more, also when Stripe sends it again, unless api.replay_event applies it. To repeat the call changes nothing.

reason: why, in at most 200 characters; it is kept with who decided.
outcome: dismissed.
Raises PT404 unknown_event, PT409 event_closed (outcome), PT422 bad_reason, PT403 not_yours, PT503 busy.';
