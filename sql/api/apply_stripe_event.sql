-- Apply a Stripe event, which the HTTP API has verified: everything that it does to the books, in one transaction.
--
--   1. Store the event. A second copy of it waits here for the first, and then ends as a duplicate, unless the first is
--      still open: waiting for its order, or parked.
--   2. Apply it: find the order that its session names, lock it, and move it (apply_event.sql and
--      sessions.sql). A paid order is granted, once per order, per session and per payment intent. The
--      first paid order of a user rewards the referrer. Then apply the other events that have waited for this order.
--
-- Events arrive twice, at the same time, in any order, and before their order can be seen. Money that arrived wins over
-- "failed" and "expired", and nothing undoes "paid". Only the session that attach_checkout named moves an order.

create or replace function api.apply_stripe_event(
    event jsonb,
    payload bytea default null
)
returns api.event_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_event_id constant text := credits.event_id(apply_stripe_event.event, apply_stripe_event.payload);
    v_receipt api.event_receipt;
    v_known credits.stripe_events;
    v_new boolean not null := false;
    v_before text;
begin
    perform credits.require_service('may apply Stripe events');
    perform credits.check_event(v_event_id, apply_stripe_event.event);

    -- 1. Store it once.
    begin
        v_before := credits.bound_wait();
        insert into credits.stripe_events (
            event_id, bucket, type, object_id, names, livemode, payload, original
        )
        values (
            v_event_id, credits.bucket_of_event(v_event_id, apply_stripe_event.event),
            apply_stripe_event.event ->> 'type',
            credits.stripe_id(apply_stripe_event.event #> '{data,object,id}'),
            credits.event_names(apply_stripe_event.event),
            apply_stripe_event.event -> 'livemode' = 'true', apply_stripe_event.event, apply_stripe_event.payload
        )
        on conflict (event_id) do nothing;
        v_new := found;
        perform from credits.stripe_events as e where e.event_id = v_event_id for no key update;
        perform set_config('lock_timeout', v_before, true);
    exception
        when lock_not_available then
            perform credits.refuse_busy('this event');
    end;
    if not v_new then
        select e.* into v_known from credits.stripe_events as e where e.event_id = v_event_id;
        if (v_known.outcome in ('waiting', 'parked')) is not true then
            return row(v_event_id, v_known.type, 'duplicate', v_known.order_id, null)::api.event_receipt;
        end if;
    end if;

    -- 2. Apply it, and what waited for the same order.
    v_receipt := credits.apply_event(v_event_id);
    -- An event that is parked again is nothing new.
    if (v_known.outcome = 'parked' and v_receipt.outcome = 'parked') is true then
        v_receipt.outcome := 'duplicate';
    end if;
    return v_receipt;
end
$$;
comment on function api.apply_stripe_event(jsonb, bytea) is
'Apply a Stripe event whose signature has been verified. For services. Safe to repeat, in any order.

payload: the bytes as they arrived. They are kept. Needed if characters had to be replaced so that event could be
stored.
outcome: granted, processing (paid later), failed, expired, parked (a person must decide: the money does not match the
order, or the event contradicts itself), waiting (its order cannot be seen yet, or has no session yet; it is tried again
when attach_checkout names the session, when the event is repeated, and by maintain), duplicate (of an event or of a
purchase), unmatched (it names no order), stored (a type that moves nothing).
Raises PT422 bad_event, foreign_account or wrong_mode, PT403 not_yours.';
