-- What a stored Stripe event does. It is applied when it arrives, and again as long as it waits. Events move orders in
-- no other way.
--
-- credits.event_types says which family an event belongs to. A family is a file with a function that applies
-- its events, and with one that finds the account and the order where the payment alone does not tell them.
--
--   Locks: the event's row, then the identity and the wallets of credits.lock_with_referrer. Callers that already hold
--   these (api.attach_checkout, api.maintain) skip an event that somebody else is applying, and never wait for it.

create or replace function credits.find_subject(
    p_family text, p_event credits.stripe_events, out account_id uuid, out order_id uuid
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    case coalesce(p_family, '')
        when 'session' then
            select f.account_id, f.order_id into account_id, order_id from credits.find_session(p_event) as f;
        -- These name the payment, and nothing else of ours.
        when 'refund', 'dispute', 'fraud_warning' then
            select f.account_id, f.order_id into account_id, order_id from credits.find_payment(p_event.names) as f;
        when 'intent' then
            select f.account_id, f.order_id into account_id, order_id from credits.find_intent(p_event) as f;
        when 'invoice' then
            select f.account_id, f.order_id into account_id, order_id from credits.find_invoice(p_event) as f;
        when 'subscription' then
            select f.account_id, f.order_id into account_id, order_id from credits.find_subscription(p_event) as f;
        else null;
    end case;
end
$$;
comment on function credits.find_subject(text, credits.stripe_events) is
'The account and the order that an event is about. Nulls when it names nothing of this bank yet.';

create or replace function credits.name_subject(p_family text, p_event credits.stripe_events)
returns credits.stripe_events
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_event credits.stripe_events not null := p_event;
begin
    select s.account_id, s.order_id into v_event.account_id, v_event.order_id
    from credits.find_subject(p_family, v_event) as s;
    -- An event may arrive while the transaction that makes its payment known is open.
    if v_event.account_id is null and (p_family <> 'session') is true
        and credits.meet_payment(p_family, v_event) then
        select s.account_id, s.order_id into v_event.account_id, v_event.order_id
        from credits.find_subject(p_family, v_event) as s;
    end if;
    return v_event;
end
$$;
comment on function credits.name_subject(text, credits.stripe_events) is
'An event with the account and the order that it is about, or nulls. If it names nothing of this bank yet, waits for '
'the transactions that are about to change that.';

create or replace function credits.apply_family(
    p_family text, p_event credits.stripe_events, out outcome text, out reason text, out entry_id text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    case coalesce(p_family, '')
        when 'session' then
            select a.outcome, a.reason, a.entry_id into outcome, reason, entry_id
            from credits.apply_session(p_event) as a;
        when 'refund' then
            select a.outcome, a.reason, a.entry_id into outcome, reason, entry_id
            from credits.apply_refund(p_event) as a;
        when 'dispute' then
            select a.outcome, a.reason, a.entry_id into outcome, reason, entry_id
            from credits.apply_dispute(p_event) as a;
        when 'fraud_warning' then
            select a.outcome, a.reason, a.entry_id into outcome, reason, entry_id
            from credits.apply_fraud_warning(p_event) as a;
        when 'intent' then
            select a.outcome, a.reason, a.entry_id into outcome, reason, entry_id
            from credits.apply_intent(p_event) as a;
        when 'invoice' then
            select a.outcome, a.reason, a.entry_id into outcome, reason, entry_id
            from credits.apply_invoice(p_event) as a;
        when 'subscription' then
            select a.outcome, a.reason, a.entry_id into outcome, reason, entry_id
            from credits.apply_subscription(p_event) as a;
        else null;
    end case;
end
$$;
comment on function credits.apply_family(text, credits.stripe_events) is
'Applies an event whose account_id and order_id are known and locked.';

create or replace function credits.is_without_order(p_family text, p_event credits.stripe_events)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case
        -- A payment of Checkout is granted by its session. One that names no account is of another program.
        when (p_family = 'intent') is true then true
        -- An invoice that is of no subscription grants nothing, whosever it is.
        when (p_family = 'invoice') is true then credits.is_other_invoice(p_event)
        -- The page on which a card was saved. Its setup intent says which.
        when (p_family = 'session') is true then (p_event.payload #> '{data,object,mode}' = '"setup"') is true
        else false
    end;
end
$$;
comment on function credits.is_without_order(text, credits.stripe_events) is
'Whether an event that names no account of this bank is no news about money: it is only stored.';

create or replace function credits.apply_event(p_event_id text)
returns api.event_receipt
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_event credits.stripe_events;
    v_family text;
    v_result record;
    v_receipt api.event_receipt;
begin
    select e.* into v_event from credits.stripe_events as e where e.event_id = p_event_id for no key update;
    if (v_event.names = '{}') is true then
        -- An earlier release stored events without what they name.
        v_event.names := credits.event_names(v_event.payload);
    end if;
    v_family := credits.family_of(v_event.type);
    v_receipt := row(v_event.event_id, v_event.type, 'stored', null, null);
    v_event.reason := null;

    if v_family is not null then
        -- 1. What is the event about?
        v_event := credits.name_subject(v_family, v_event);
        if v_event.account_id is null and credits.is_without_order(v_family, v_event) then
            v_receipt.outcome := 'stored';
        elsif v_event.account_id is null then
            v_receipt.outcome := case
                when (v_family = 'session') is true then 'unmatched'
                else 'waiting'
            end;
            v_event.reason := case
                when v_receipt.outcome = 'unmatched' then 'it names no order of ours'
                else 'it names no payment of ours yet'
            end;
        elsif not exists (select from credits.wallets as w where w.account_id = v_event.account_id) then
            v_receipt.outcome := 'waiting';
            v_event.reason := 'its order is not there yet';
        else
            -- 2. Lock it. 3. Apply the event to what is there now.
            perform credits.lock_with_referrer(v_event.account_id);
            v_result := credits.apply_family(v_family, v_event);
            v_receipt.outcome := v_result.outcome;
            v_receipt.entry_id := v_result.entry_id;
            v_event.reason := v_result.reason;
            select o.order_id into v_receipt.order_id
            from credits.orders as o
            where o.account_id = v_event.account_id and o.order_id = v_event.order_id;
        end if;
    end if;

    update credits.stripe_events as e
    set
        outcome = v_receipt.outcome, reason = v_event.reason, trouble = null, names = v_event.names,
        account_id = v_event.account_id, order_id = v_event.order_id
    where e.event_id = p_event_id;
    if (v_family is null and v_event.type like 'customer.%') is true then
        -- It is about a person, and moves nothing. Nobody will ever read more of it.
        update credits.stripe_events as e
        set payload = credits.without_person(e.payload), original = null, slimmed_at = credits.clock()
        where e.event_id = p_event_id;
    end if;
    -- 4. The order, or its payment, may be known now, also when it was parked: apply the events that waited for it.
    if (v_receipt.order_id is not null and v_family in ('session', 'intent', 'invoice')) is true
        and v_receipt.outcome is distinct from 'waiting' then
        perform credits.apply_waiting(v_event.account_id, v_event.order_id);
    end if;
    return v_receipt;
end
$$;
comment on function credits.apply_event(text) is
'Does what a stored event asks for, records its outcome, and applies the events that waited for the same order. Safe '
'to repeat while the outcome is waiting or parked.';
