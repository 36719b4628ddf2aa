-- A refusal undoes everything that the call would have written, a notice too. So a caller who was refused for lack of
-- tokens reports it in another call. The HTTP API does so after every PT402, and other callers may. The database does
-- not take the caller's word. It checks again.
--
--   1. Find the account. This call opens no account.
--   2. Lock the wallet, if there may be a notice to write.
--   3. Check whether the tokens pay for this use. If not, write the notice depleted, once, until tokens come again.
create or replace function api.report_refusal(
    module_id text,
    usage jsonb default '{}',
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
    v_subject constant text := credits.caller_subject(report_refusal.user_id, 'spender');
    v_account_id uuid;
    v_now timestamptz;
    v_price record;
    v_before text;
    v_answer api.refusal_receipt;
begin
    select i.account_id into v_account_id from credits.identities as i where i.subject = v_subject;
    if v_account_id is null and credits.is_spender() is true then
        perform credits.fail(404, 'unknown_user', 'no such user');
    end if;
    v_now := credits.clock(v_account_id);
    v_price := credits.price_usage(report_refusal.module_id, report_refusal.usage, v_now);
    v_answer.user_id := v_subject;
    v_answer.module_id := report_refusal.module_id;
    v_answer.depleted := false;
    if v_account_id is null or (v_price.cost > 0) is not true then
        return v_answer;
    end if;

    -- 2. Lock.
    if current_setting('lock_timeout') <> '2s' then
        v_before := credits.bound_wait();
    end if;
    perform credits.lock_wallet(v_account_id);
    v_now := credits.clock(v_account_id);

    -- 3. Check, and write.
    v_answer.depleted := v_price.cost > credits.spendable(v_account_id, report_refusal.module_id, v_now)
        or credits.in_default(v_account_id);
    if v_answer.depleted is true then
        perform credits.tell_depleted(v_account_id);
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
comment on function api.report_refusal(text, jsonb, text) is
'Report that a use was refused for lack of tokens, so that the notice depleted is written, once until tokens come
again. The refusal itself undoes everything and could not write it. The HTTP API calls this, so HTTP clients need not.
depleted: true when the tokens do not pay for this use; otherwise nothing is written.

Raises PT404 unknown_module or unknown_user, PT422 bad_usage, PT403 not_yours, PT401 not_signed_in.';
