-- What Stripe answered to a call. The first report that says how the call ended counts, whichever worker brings it,
-- because every try of a call gets the same answer from Stripe.
--
--   1. Lock the wallet. The call may have ended since.
--   2. Read the answer. Without an answer that says how it ended, the call is due again later.
--   3. End the call, and do what follows from its end.
create or replace function api.report_stripe_call(
    account_id uuid,
    call_id uuid,
    lease uuid,
    answer jsonb
)
returns api.stripe_report
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz;
    v_call credits.stripe_calls;
    v_kind text not null := '';
    v_read record;
begin
    perform credits.require_service('may report calls to Stripe');
    if jsonb_typeof(report_stripe_call.answer) is distinct from 'object' then
        perform credits.fail(422, 'bad_answer', 'answer must be an object: what Stripe answered');
    end if;

    -- 1. Lock.
    perform credits.lock_with_referrer(report_stripe_call.account_id);
    v_now := credits.clock();
    select c.* into v_call
    from credits.stripe_calls as c
    where c.account_id = report_stripe_call.account_id and c.call_id = report_stripe_call.call_id
    for no key update skip locked;
    if not found and exists (
        select
        from credits.stripe_calls as c
        where c.account_id = report_stripe_call.account_id and c.call_id = report_stripe_call.call_id
    ) then
        perform credits.refuse_busy('this call');
    elsif v_call.call_id is null then
        perform credits.fail(404, 'unknown_call', 'no such call');
    elsif v_call.state <> 'due' then
        return row(v_call.call_id, v_call.state, null::timestamptz);
    end if;

    -- 2. Read.
    v_read := credits.read_answer(report_stripe_call.answer);
    if v_read.verdict = 'again' then
        -- A worker whose lease has ended does not disturb the next one.
        update credits.stripe_calls as c
        set
            due_at = credits.later(v_now, greatest(credits.call_backoff(c.tries), v_read.wait)), lease = null,
            trouble = left(coalesce(report_stripe_call.answer ->> 'message', v_read.reason), 500),
            must_look_up = c.must_look_up or v_read.must_look_up
        where
            c.account_id = v_call.account_id and c.call_id = v_call.call_id and c.lease = report_stripe_call.lease
        returning c.* into v_call;
        return row(report_stripe_call.call_id, 'due'::text, v_call.due_at);
    end if;

    -- 3. End.
    update credits.stripe_calls as c
    set
        state = case
            when v_read.verdict = 'done' or (c.kind = 'delete_customer' and v_read.verdict = 'absent') then 'done'
            else 'failed'
        end,
        ended_at = v_now, lease = null,
        result = case when c.kind <> 'delete_customer' then credits.answer_to_keep(report_stripe_call.answer) end,
        trouble = case
            when v_read.verdict <> 'done' and not (c.kind = 'delete_customer' and v_read.verdict = 'absent')
                then v_read.reason
        end,
        -- A customer who is gone needs no name here. One who is not must still be found at Stripe.
        params = case
            when c.kind = 'delete_customer' and v_read.verdict in ('done', 'absent') then '{}' else c.params
        end
    where c.account_id = v_call.account_id and c.call_id = v_call.call_id
    returning c.* into v_call;
    v_kind := v_call.kind;
    if v_kind = 'charge' then
        perform credits.charge_answered(v_call, v_read.verdict, v_read.reason, report_stripe_call.answer);
    elsif v_kind = 'refund' then
        perform credits.refund_answered(v_call, v_read.verdict, v_read.reason, report_stripe_call.answer);
    elsif v_kind = 'confirm_card' then
        perform credits.confirmation_answered(v_call, v_read.verdict, report_stripe_call.answer);
    end if;
    return row(v_call.call_id, v_call.state, null::timestamptz);
end
$$;
comment on function api.report_stripe_call(uuid, uuid, uuid, jsonb) is
'Report what Stripe answered to a call. For services. Safe to repeat.

answer: object (what Stripe made), or of an error http_status, type, code, decline_code, message, retry_after
(seconds), replayed (Stripe repeated an earlier answer); or absent: true, if the worker looked and found nothing.
state: done, failed or canceled; due if the call is to be made again, at due_at.
Raises PT404 unknown_call, PT422 bad_answer, PT503 busy, PT403 not_yours.';
