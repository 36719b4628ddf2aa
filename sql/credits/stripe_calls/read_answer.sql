-- What Stripe's answer to a call means. The worker reports what it got, and decides nothing.
--
-- Whether a call without an answer was done is unknown. So it is made again with the same key: Stripe repeats the first
-- answer. Stripe forgets a key after a day at the earliest, and repeats also an error of its own. Then the worker looks
-- whether the object exists, instead of making the call.

create or replace function credits.decline_reason(p_error jsonb)
returns text
language sql
immutable
return case
    -- Stripe asks not to tell the person at the card that it was reported as lost or stolen.
    when (
        p_error ->> 'decline_code' in ('fraudulent', 'lost_card', 'merchant_blacklist', 'pickup_card', 'stolen_card')
    ) is true
        then 'generic_decline'
    else left(coalesce(p_error ->> 'decline_code', p_error ->> 'code', p_error ->> 'type'), 200)
end;
comment on function credits.decline_reason(jsonb) is
'Why Stripe did not charge a card, as the user may see it. Null when the error does not say.';

create or replace function credits.asks_for_authentication(p_error jsonb)
returns boolean
language sql
immutable
return coalesce('authentication_required' in (p_error ->> 'code', p_error ->> 'decline_code'), false);
comment on function credits.asks_for_authentication(jsonb) is
'Whether a card was not charged because its holder has to confirm the payment. Never null.';

create or replace function credits.read_answer(
    p_answer jsonb, out verdict text, out reason text, out must_look_up boolean, out wait interval
)
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_status constant numeric := credits.stripe_amount(p_answer -> 'http_status');
    v_type constant text := p_answer ->> 'type';
    v_wait constant numeric := credits.stripe_amount(p_answer -> 'retry_after');
begin
    must_look_up := (p_answer -> 'replayed' = 'true' and v_status >= 500) is true;
    wait := make_interval(secs => least(coalesce(v_wait, 0), 3600)::integer);
    reason := coalesce(credits.decline_reason(p_answer), left(p_answer ->> 'message', 200));
    verdict := case
        when (jsonb_typeof(p_answer -> 'object') = 'object' and v_type is null) is true then 'done'
        when (p_answer -> 'absent' = 'true') is true then 'absent'
        when (v_type = 'card_error') is true and credits.asks_for_authentication(p_answer)
            then 'authentication_required'
        when (v_type = 'card_error') is true then 'declined'
        when (v_type = 'idempotency_error' or (v_type = 'invalid_request_error' and v_status in (400, 402, 404))) is true
            then 'refused'
        -- Nobody answered, or Stripe was busy or out of order, or our key is wrong.
        else 'again'
    end;
end
$$;
comment on function credits.read_answer(jsonb) is
'What an answer means: done, absent (looked for, and not there), declined, authentication_required, refused, or again. '
'reason: Stripe''s code. must_look_up: repeating the call would only repeat this error. wait: how long Stripe wants us '
'to wait.';

create or replace function credits.call_backoff(p_tries bigint)
returns interval
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return make_interval(secs => least(2 ^ least(coalesce(p_tries, 1), 10), 600)::integer);
end
$$;
comment on function credits.call_backoff(bigint) is
'How long to wait after so many tries: two seconds, doubled with each, ten minutes at most.';
