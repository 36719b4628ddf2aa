-- Remove the threshold that set_low_balance chose, so that the bank's rule applies again.
create or replace function api.reset_low_balance(
    user_id text default null
)
returns api.low_balance
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject constant text := credits.caller_subject(reset_low_balance.user_id);
    v_account_id constant uuid := credits.account_of(v_subject, false);
    v_answer api.low_balance;
begin
    -- The permit ends at the old threshold, so take it back.
    perform credits.lock_wallet(v_account_id);
    update credits.notice_levels as n
    set below = null, percent = null, low_armed = true
    where n.account_id = v_account_id;

    v_answer.user_id := v_subject;
    select trim_scale(l.low) into v_answer.threshold from credits.notice_levels_of(v_account_id) as l;
    return v_answer;
end
$$;
comment on function api.reset_low_balance(text) is
'Remove the threshold that set_low_balance chose, so that the rule of the bank says when the balance is low. Safe to
repeat.

Raises PT404 unknown_user, PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
