-- What operators decide about events that were parked, or wait.

create or replace function credits.lock_event(p_event_id text)
returns credits.stripe_events
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_event credits.stripe_events;
    v_before text;
begin
    v_before := credits.bound_wait();
    select e.* into v_event from credits.stripe_events as e where e.event_id = p_event_id for no key update;
    if not found then
        perform credits.fail(404, 'unknown_event', 'no such event');
    end if;
    perform set_config('lock_timeout', v_before, true);
    return v_event;
exception
    when lock_not_available then
        perform credits.refuse_busy('this event');
        return null;
end
$$;
comment on function credits.lock_event(text) is 'Locks a Stripe event. Raises PT404 unknown_event, PT503 busy.';

create or replace function credits.check_decision(p_reason text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.require_service('may decide about events');
    perform credits.check_reason(p_reason);
    if coalesce(p_reason, '') = '' then
        perform credits.fail(422, 'bad_reason', 'a decision needs a reason');
    end if;
end
$$;
comment on function credits.check_decision(text) is
'Checks that a service decides, with a reason. Raises PT403 not_yours, PT422 bad_reason.';

create or replace function credits.note_decision(p_event_id text, p_decision text, p_reason text, p_outcome text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into credits.event_decisions (event_id, number, decided_at, decision, reason, actor, outcome)
    select p_event_id, count(*) + 1, credits.clock(), p_decision, p_reason, credits.agent(), p_outcome
    from credits.event_decisions as d
    where d.event_id = p_event_id;
end
$$;
comment on function credits.note_decision(text, text, text, text) is
'Records a decision about a locked event, and its outcome after that.';
