-- Events that waited for their order, or for its session, are applied again.

create or replace function credits.try_event(p_event_id text)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_receipt api.event_receipt;
begin
    v_receipt := credits.apply_event(p_event_id);
    return v_receipt.outcome is distinct from 'waiting';
-- Each 000 stands for a class: refusals of the bank, what a value or a constraint forbids, locks.
exception when sqlstate 'PT000' or data_exception or integrity_constraint_violation
    or object_not_in_prerequisite_state or transaction_rollback then
    update credits.stripe_events as e
    set looked_at = credits.clock(), trouble = left(sqlerrm, 500)
    where e.event_id = p_event_id;
    return false;
end
$$;
comment on function credits.try_event(text) is
'Applies an event that waits. True when it waits no longer. A refusal is recorded on the event and undoes nothing '
'else.';

create or replace function credits.apply_waiting(p_account_id uuid, p_order_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_event_id text;
begin
    for v_event_id in
        select e.event_id
        from credits.stripe_events as e
        where e.account_id = p_account_id and e.order_id = p_order_id and e.outcome = 'waiting'
        order by e.received_at, e.event_id
        for no key update skip locked
    loop
        perform credits.try_event(v_event_id);
    end loop;
end
$$;
comment on function credits.apply_waiting(uuid, uuid) is
'Applies the events that wait for an order whose account is locked by credits.lock_with_referrer.';

create or replace function credits.retry_events(p_limit bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_event record;
    v_done bigint := 0;
begin
    -- Nearly always attach_checkout has applied them. An event is left if it came while the transaction that wrote the
    -- order and attached its session was open. No transaction is open for 35 days.
    for v_event in
        select
            e.event_id,
            e.account_id
        from credits.stripe_events as e
        inner join credits.orders as o on e.account_id = o.account_id and e.order_id = o.order_id
        where
            e.outcome = 'waiting' and e.received_at > credits.clock() - interval '840 hours'
            and o.checkout_session_id is not null
        order by coalesce(e.looked_at, e.received_at), e.event_id
        limit p_limit
        for no key update of e skip locked
    loop
        if credits.try_lock_with_referrer(v_event.account_id) and credits.try_event(v_event.event_id) then
            v_done := v_done + 1;
        end if;
    end loop;
    return v_done;
end
$$;
comment on function credits.retry_events(bigint) is
'Applies at most p_limit events that wait and whose order has a session now. Returns how many of them wait no longer. '
'Skips accounts that somebody else has locked.';
