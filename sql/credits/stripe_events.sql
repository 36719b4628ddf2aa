-- A stored Stripe event, applied: when it comes, and again as long as it waits. The only way in which events move
-- orders.
--
--   Locks: the event's row, then the identity and the wallets of credits.lock_with_referrer. Whoever holds those
--   already (api.attach_checkout, api.maintain) passes over an event that somebody else is applying, and never waits
--   for it.

-- An id that had to be changed to be stored may be that of two events, and one of 300 characters is no key; the bytes
-- are told apart.
create or replace function credits.event_id(p_event jsonb, p_original bytea)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_id constant jsonb := p_event -> 'id';
begin
    if jsonb_typeof(v_id) is distinct from 'string' then
        return null;
    elsif (
        p_original is not null and (strpos(v_id #>> '{}', chr(65533)) > 0 or length(v_id #>> '{}') > 255)
    ) is true then
        return 'sha256:' || encode(sha256(p_original), 'hex');
    end if;
    return credits.stripe_id(v_id);
end
$$;
comment on function credits.event_id(jsonb, bytea) is
'By what an event is known: its id, or the hash of its bytes where its id cannot be stored; null when it has none.';

create or replace function credits.check_event(p_event_id text, p_event jsonb)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_settings credits.settings;
begin
    if p_event_id is null or (
        p_event -> 'object' = '"event"' and jsonb_typeof(p_event -> 'type') = 'string'
        and jsonb_typeof(p_event #> '{data,object}') = 'object' and jsonb_typeof(p_event -> 'livemode') = 'boolean'
    ) is not true then
        perform credits.fail(422, 'bad_event', 'this is not a Stripe event');
    end if;

    -- Whose it is. Events of a connected account name it, those of an organisation have it as their context.
    select s.* into v_settings from credits.settings as s;
    if exists (
        select
        from unnest(array[p_event -> 'account', p_event -> 'context']) as a (account)
        where
            coalesce(a.account, 'null') <> 'null'
            and (jsonb_typeof(a.account) = 'string' and a.account #>> '{}' = any (v_settings.stripe_accounts)) is not true
    ) then
        perform credits.fail(422, 'foreign_account', 'this event is of a connected account that is not accepted');
    elsif (p_event -> 'livemode' <> to_jsonb(v_settings.stripe_livemode)) is true then
        perform credits.fail(422, 'wrong_mode', 'this event is not of the mode (live or test) of this bank');
    end if;
end
$$;
comment on function credits.check_event(text, jsonb) is
'Checks that this is an event of Stripe, known by p_event_id, and one for this bank. '
'Raises PT422 bad_event, foreign_account, wrong_mode.';

create or replace function credits.apply_event(p_event_id text)
returns api.event_receipt
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_event credits.stripe_events;
    v_receipt api.event_receipt;
    v_order credits.orders;
    v_result record;
begin
    select e.* into v_event from credits.stripe_events as e where e.event_id = p_event_id for no key update;
    v_receipt := row(v_event.event_id, v_event.type, 'waiting', null, null);
    v_event.reason := null;

    -- 1. What is it about?
    if (v_event.type in (
        'checkout.session.completed', 'checkout.session.async_payment_succeeded',
        'checkout.session.async_payment_failed', 'checkout.session.expired'
    )) is not true then
        v_receipt.outcome := 'stored';
    else
        select s.account_id, s.order_id into v_event.account_id, v_event.order_id
        from credits.order_of_session(v_event.payload #> '{data,object}') as s;
        if v_event.order_id is null then
            v_receipt.outcome := 'unmatched';
        else
            select o.* into v_order
            from credits.orders as o
            where o.account_id = v_event.account_id and o.order_id = v_event.order_id;
            v_receipt.order_id := v_order.order_id;
        end if;
    end if;

    -- 2. Its order: locked, then read as it is now. One that cannot be seen may still be in a transaction.
    if v_receipt.order_id is not null then
        perform credits.lock_with_referrer(v_order.account_id);
        select o.* into v_order
        from credits.orders as o
        where o.account_id = v_order.account_id and o.order_id = v_order.order_id;
        v_result := credits.apply_session(v_order, v_event);
        v_receipt.outcome := v_result.outcome;
        v_receipt.entry_id := v_result.entry_id;
        v_event.reason := v_result.reason;
    elsif v_receipt.outcome is not distinct from 'waiting' then
        v_event.reason := 'its order is not there yet';
    end if;

    update credits.stripe_events as e
    set
        outcome = v_receipt.outcome, reason = v_event.reason, trouble = null,
        account_id = v_event.account_id, order_id = v_event.order_id
    where e.event_id = p_event_id;
    return v_receipt;
end
$$;
comment on function credits.apply_event(text) is
'Does what a stored event asks for, and notes its outcome on it. Safe to repeat while that is waiting or parked.';

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
-- Classes, each named by its 000: refusals of ours, what a value or a constraint forbids, locks.
exception when sqlstate 'PT000' or data_exception or integrity_constraint_violation
    or object_not_in_prerequisite_state or transaction_rollback then
    update credits.stripe_events as e
    set looked_at = credits.clock(), trouble = left(sqlerrm, 500)
    where e.event_id = p_event_id;
    return false;
end
$$;
comment on function credits.try_event(text) is
'Applies an event that waits; true when it waits no longer. A refusal is noted on the event and undoes nothing else.';

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

create or replace function credits.settle_events(p_limit bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_event record;
    v_settled bigint := 0;
begin
    -- Nearly always attach_checkout has done it. What is left: an event that came while the transaction was open that
    -- wrote the order and attached its session. No transaction is open for 35 days.
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
            v_settled := v_settled + 1;
        end if;
    end loop;
    return v_settled;
end
$$;
comment on function credits.settle_events(bigint) is
'Applies at most so many events that wait and whose order has a session now. Returns how many wait no '
'longer. Passes over accounts that somebody else has locked.';
