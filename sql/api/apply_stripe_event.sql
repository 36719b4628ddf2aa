-- A Stripe event, already verified by the door, and everything it does to the books, in one transaction.
--
--   1. Write the event down. A second copy of it waits here for the first one, then ends as a duplicate, unless the
--      first one is still open: it waits for its order, or is parked.
--   2. Apply it: find the order that its session names, lock, and move the order (apply_event.sql and
--      apply_session.sql). Paid: grant the order's snapshot, once per order, per session and per payment
--      intent; the first time, reward whoever brought the user.
--   3. Other events of the same order that waited are applied as well.
--
-- Events come twice, at once, in any order, and before their order can be seen: money that arrived wins over "failed"
-- and "expired", and nothing undoes "paid". Only the session that attach_checkout named moves an order.

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

    -- 1. Once.
    begin
        v_before := credits.bound_wait();
        insert into credits.stripe_events (event_id, bucket, type, object_id, livemode, payload, original)
        values (
            v_event_id, credits.bucket_of_event(v_event_id, apply_stripe_event.event),
            apply_stripe_event.event ->> 'type',
            credits.stripe_id(apply_stripe_event.event #> '{data,object,id}'),
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

    -- 2. What it asks for.
    v_receipt := credits.apply_event(v_event_id);

    -- 3. What waited for the same order.
    if v_receipt.order_id is not null and v_receipt.outcome is distinct from 'waiting' then
        perform credits.apply_waiting(e.account_id, e.order_id)
        from credits.stripe_events as e
        where e.event_id = v_event_id;
    end if;
    -- Parked again is nothing new.
    if (v_known.outcome = 'parked' and v_receipt.outcome = 'parked') is true then
        v_receipt.outcome := 'duplicate';
    end if;
    return v_receipt;
end
$$;
comment on function api.apply_stripe_event(jsonb, bytea) is
'Apply a Stripe event whose signature has been verified. For services; safe to repeat, in any order.

payload: the bytes as they came, where event could only be stored with something replaced in it; they are kept.
outcome: granted, processing (paid later), failed, expired, parked (for a person: the money does not match the order, or the
event contradicts itself), waiting (its order cannot be seen yet, or has no session yet: it is looked at again when attach_checkout names the session,
when the event is repeated, and by maintain), duplicate (of an event or of a purchase), unmatched (names no order), stored
(a type that moves nothing).
Raises PT422 bad_event, foreign_account or wrong_mode, PT403 not_yours.';
