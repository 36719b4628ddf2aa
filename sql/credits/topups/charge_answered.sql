-- What follows when Stripe has answered the charge of an automatic top-up. The tokens come with the event that says
-- that it succeeded, which may be here already.

create or replace function credits.charge_answered(
    p_call credits.stripe_calls, p_verdict text, p_reason text, p_answer jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock(p_call.account_id);
    v_intent constant jsonb := coalesce(p_answer -> 'object', p_answer -> 'payment_intent');
    v_intent_id constant text := credits.stripe_id(v_intent -> 'id');
    v_status constant text not null := coalesce(v_intent ->> 'status', '');
    v_attempt credits.topup_attempts;
begin
    update credits.topup_attempts as a
    set payment_intent_id = coalesce(a.payment_intent_id, v_intent_id)
    where a.account_id = p_call.account_id and a.attempt_id = p_call.made_for
    returning a.* into strict v_attempt;
    update credits.orders as o
    set payment_intent_id = coalesce(o.payment_intent_id, v_intent_id)
    where o.account_id = v_attempt.account_id and o.order_id = v_attempt.order_id;

    if p_verdict = 'done' and v_status in ('succeeded', 'processing') then
        return;
    elsif p_verdict = 'done' then
        p_verdict := case
            when v_status = 'requires_action' or credits.asks_for_authentication(v_intent -> 'last_payment_error')
                then 'authentication_required'
            when v_status = 'requires_payment_method' then 'declined'
            when v_status = 'canceled' then 'canceled'
            else 'failed'
        end;
        p_reason := coalesce(credits.decline_reason(v_intent -> 'last_payment_error'), v_status);
    end if;
    perform credits.end_attempt(
        v_attempt,
        case p_verdict when 'refused' then 'failed' when 'absent' then 'canceled' else p_verdict end,
        case p_verdict when 'absent' then 'unanswered' else p_reason end,
        v_now
    );
    -- A call that Stripe refuses as such would be refused again.
    if p_verdict = 'refused' then
        perform credits.stop_topup(
            v_attempt.account_id,
            case when (p_answer ->> 'code' = 'resource_missing') is true then 'card_gone' else 'refused' end,
            v_attempt.attempt_id
        )
        from credits.auto_topups as t
        where t.account_id = v_attempt.account_id and t.consent_id = v_attempt.consent_id;
    end if;
end
$$;
comment on function credits.charge_answered(credits.stripe_calls, text, text, jsonb) is
'Does what follows from the answer to the charge of an attempt. The wallet is locked.';

create or replace function credits.confirmation_answered(
    p_call credits.stripe_calls, p_verdict text, p_answer jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_url constant text := case when p_verdict = 'done' then p_answer #>> '{object,url}' end;
    v_ends constant numeric := credits.stripe_amount(p_answer #> '{object,expires_at}');
begin
    update credits.auto_topups as t
    set link = left(v_url, 2000), link_until = case when v_url is not null then to_timestamp(v_ends::double precision) end
    where
        t.account_id = p_call.account_id and t.state = 'paused' and t.reason = 'authentication_required'
        and t.stopped_by = p_call.made_for;
    if found then
        perform credits.tell_topup(p_call.account_id, 'top_up_paused', 'authentication_required');
    end if;
end
$$;
comment on function credits.confirmation_answered(credits.stripe_calls, text, jsonb) is
'Tells the user of a paused automatic top-up where to confirm the card. The wallet is locked.';

create or replace function credits.answer_to_keep(p_answer jsonb)
returns jsonb
language sql
immutable
return jsonb_strip_nulls(jsonb_build_object(
    'id', coalesce(p_answer #> '{object,id}', p_answer #> '{payment_intent,id}'),
    'status', coalesce(p_answer #> '{object,status}', p_answer #> '{payment_intent,status}'),
    'http_status', p_answer -> 'http_status',
    'type', p_answer -> 'type',
    'code', p_answer -> 'code',
    'decline_code', p_answer -> 'decline_code',
    'absent', p_answer -> 'absent'
));
comment on function credits.answer_to_keep(jsonb) is
'What is kept of an answer: ids, states and codes, and nothing about a person.';
