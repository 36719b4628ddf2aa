-- Events about refunds. A refund has an object of its own, whose events are the truth. A charge reports how much of it
-- was refunded in all: that counts only for what no refund of ours explains.

create or replace function credits.apply_refund(
    p_event credits.stripe_events, out outcome text, out reason text, out entry_id text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_object constant jsonb := p_event.payload #> '{data,object}';
    v_on_charge constant boolean not null := p_event.type = 'charge.refunded';
    v_amount constant jsonb := v_object -> case when v_on_charge then 'amount_refunded' else 'amount' end;
    v_status constant text := case when v_on_charge then 'refunded' else v_object ->> 'status' end;
    v_ended boolean not null := false;
begin
    reason := credits.reversal_problem(p_event, v_amount);
    if reason is null and not v_on_charge and (
        v_status in ('requires_action', 'pending', 'succeeded', 'failed', 'canceled')
    ) is not true then
        reason := left(format('a refund of status %s', v_status), 200);
    end if;
    if reason is not null then
        outcome := 'parked';
        return;
    end if;
    v_ended := not v_on_charge and credits.match_request(p_event);
    outcome := 'duplicate';
    if credits.note_reversal(
        p_event, p_event.object_id, case when v_on_charge then 'refunded_charge' else 'refund' end,
        credits.stripe_amount(v_amount)::bigint, v_status
    ) or v_ended then
        outcome := 'applied';
        entry_id := credits.settle_event(p_event);
    end if;
end
$$;
comment on function credits.apply_refund(credits.stripe_events) is
'Takes back, withholds or gives back the tokens of a refund. The caller holds the locks of credits.lock_with_referrer.';
