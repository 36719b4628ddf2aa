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

create or replace function credits.apply_waiting_for(p_names text[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_event_id text;
begin
    perform credits.lock_objects(p_names);
    for v_event_id in
        select e.event_id
        from credits.stripe_events as e
        where e.names && p_names and e.outcome = 'waiting'
        order by e.received_at, e.event_id
        for no key update skip locked
    loop
        perform credits.try_event(v_event_id);
    end loop;
end
$$;
comment on function credits.apply_waiting_for(text[]) is
'Applies the events that wait for one of these objects at Stripe. They belong to an account that is locked by '
'credits.lock_with_referrer, and can be found now.';

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
    -- Refunds and disputes do not name the order, but its payment.
    perform credits.apply_waiting_for(array(
        select s.object_id
        from credits.stripe_objects as s
        where s.account_id = p_account_id and s.order_id = p_order_id
        union
        select o.payment_intent_id
        from credits.orders as o
        where o.account_id = p_account_id and o.order_id = p_order_id and o.payment_intent_id is not null
    ));
end
$$;
comment on function credits.apply_waiting(uuid, uuid) is
'Applies the events that wait for an order, or for its payment. Its account is locked by credits.lock_with_referrer.';

create or replace function credits.is_ready(p_event credits.stripe_events)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_family constant text := credits.family_of(p_event.type);
    v_found record;
begin
    v_found := credits.find_subject(v_family, p_event);
    return exists (
        select
        from credits.wallets as w
        left join credits.orders as o on w.account_id = o.account_id and o.order_id = v_found.order_id
        where
            w.account_id = v_found.account_id
            and (v_family is distinct from 'session' or o.checkout_session_id is not null)
    );
end
$$;
comment on function credits.is_ready(credits.stripe_events) is
'Whether what an event waited for is there now: the order with its session, or the payment that it names.';

create or replace function credits.retry_events(p_limit bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_event credits.stripe_events;
    v_account_id uuid;
    v_done bigint := 0;
    v_turns bigint;
begin
    -- To look at an event takes a tenth of a millisecond. When very many wait, each call looks at a part of them, and
    -- the parts take turns by the minute.
    select count(*) / 5000 + 1 into v_turns from credits.stripe_events as e where e.outcome = 'waiting';
    -- Nearly always another call has applied them: the one that named the session, or that granted the order. An event
    -- is left if it came while the transaction that did so was open for longer than either of them waits
    -- (lock_objects.sql). No transaction is open for 35 days.
    for v_event in
        select e.*
        from credits.stripe_events as e
        where
            e.outcome = 'waiting' and e.received_at > credits.clock() - interval '840 hours'
            and e.bucket % v_turns = (extract(epoch from credits.clock()) / 60)::bigint % v_turns
            -- Other calls skip an event that is locked here, so only those are locked that can be applied.
            and credits.is_ready(e)
        order by coalesce(e.looked_at, e.received_at), e.event_id
        limit p_limit
        for no key update skip locked
    loop
        select s.account_id into v_account_id
        from credits.find_subject(credits.family_of(v_event.type), v_event) as s;
        if credits.try_lock_with_referrer(v_account_id) and credits.try_event(v_event.event_id) then
            v_done := v_done + 1;
        end if;
    end loop;
    return v_done;
end
$$;
comment on function credits.retry_events(bigint) is
'Applies at most p_limit events that wait for something that is there now. Returns how many of them wait no longer. '
'Skips accounts that somebody else has locked. Looks at about 5,000 events, and at others in the next minute.';
