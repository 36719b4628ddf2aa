-- Apply an event again that was parked, waits or was dismissed, because what stood in its way has changed.
create or replace function api.replay_event(event_id text, reason text)
returns api.event_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_event credits.stripe_events;
    v_receipt api.event_receipt;
begin
    perform credits.check_decision(replay_event.reason);
    v_event := credits.lock_event(replay_event.event_id);
    if (v_event.outcome in ('granted', 'processing', 'failed', 'expired')) is true then
        return row(v_event.event_id, v_event.type, 'duplicate', v_event.order_id, null)::api.event_receipt;
    end if;
    v_receipt := credits.apply_event(v_event.event_id);
    perform credits.note_decision(v_event.event_id, 'replayed', replay_event.reason, v_receipt.outcome);
    return v_receipt;
end
$$;
comment on function api.replay_event(text, text) is
'Apply a Stripe event again: one that is listed in audit.parked, or was dismissed, or that a changed setting concerns. '
'For operators. What it did before is not done twice.

reason: why, in at most 200 characters; it is kept with who decided.
Answers as api.apply_stripe_event does.
Raises PT404 unknown_event, PT422 bad_reason, PT403 not_yours, PT503 busy.';
