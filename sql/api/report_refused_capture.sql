-- A capture that was refused for want of tokens undid itself, as any refusal does: see report_refusal. What it would
-- have cost, and what its hold would have paid of that, only the capture itself knows. So it is tried once more, and
-- undone.
--
--   1. The hold says whose account it is.
--   2. Lock the wallet.
--   3. Would it be refused for want of tokens? Then: depleted, once, until tokens come again.
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
    -- 1. Whose.
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

    -- 3. Look, and tell.
    begin
        perform api.capture_hold(
            report_refused_capture.hold_id, report_refused_capture.usage, over => 'error',
            user_id => report_refused_capture.user_id
        );
        -- It went through, and nobody asked for that.
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
'Say that a capture of a hold was refused for want of tokens (over: error, or a user''s beyond the hold), so that a
notice depleted is written, once until tokens come again. HTTP clients need not call this: the door does. It charges nothing.
depleted: the hold and the tokens that are there do not pay for this use; where they do, or the hold is over, nothing is
written.

Raises PT404 unknown_hold, PT422 bad_usage, PT403 not_yours, PT401 not_signed_in, PT423 account_frozen (a user), PT429
spend_limit or unpaid_limit (a user).';
