-- A capture that is refused for lack of tokens undoes everything, as any refusal does: see report_refusal. Only the
-- capture itself knows what it would have cost, and how much of that its hold would have paid. So this function tries
-- it once more, and undoes it.
--
--   1. Find the account, which the hold names.
--   2. Lock the wallet.
--   3. Check whether the capture is refused for lack of tokens. If so, write the notice depleted, once, until tokens
--      come again.
create or replace function api.report_refused_capture(
    hold_id text,
    usage jsonb default '"held"',
    user_id text default null
)
returns api.refusal_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- 1. Find.
    v_found constant record := credits.find_hold(report_refused_capture.hold_id, report_refused_capture.user_id);
    v_before text;
    v_answer api.refusal_receipt;
begin
    if report_refused_capture.usage is null then
        perform credits.fail(422, 'bad_usage', 'usage is an object: without it all that is held is meant');
    end if;

    -- 2. Lock.
    if current_setting('lock_timeout') <> '2s' then
        v_before := credits.bound_wait();
    end if;
    perform credits.lock_wallet(v_found.account_id);
    v_answer.user_id := v_found.user_id;
    select h.module_id into v_answer.module_id
    from credits.holds as h
    where h.account_id = v_found.account_id and h.hold_id = v_found.hold_id;

    -- 3. Check, and write.
    begin
        perform api.capture_hold(
            report_refused_capture.hold_id, report_refused_capture.usage, over => 'error',
            user_id => report_refused_capture.user_id
        );
        -- The capture succeeded. Undo it, because the caller did not ask for it.
        perform credits.fail(409, 'hold_closed', 'undone');
    exception
        when sqlstate 'PT402' then
            v_answer.depleted := true;
        when sqlstate 'PT409' then
            v_answer.depleted := false;
    end;
    if v_answer.depleted is true then
        perform credits.tell_depleted(v_found.account_id);
    end if;
    if v_before is not null then
        perform set_config('lock_timeout', v_before, true);
    end if;
    return v_answer;
exception
    when lock_not_available then
        perform credits.refuse_busy();
        return null;
end
$$;
comment on function api.report_refused_capture(text, jsonb, text) is
'Report that a capture of a hold was refused for lack of tokens (over: error, or a user beyond the hold), so that the
notice depleted is written, once until tokens come again. The HTTP API calls this, so HTTP clients need not. It
charges nothing.
depleted: true when the hold and the other tokens do not pay for this use; otherwise, or when the hold has ended,
nothing is written.

Raises PT404 unknown_hold, PT422 bad_usage, PT403 not_yours, PT401 not_signed_in, PT423 account_frozen (a user), PT429
spend_limit or unpaid_limit (a user).';
