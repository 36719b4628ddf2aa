-- When the balance counts as low. The bank has a rule, and a user may choose another threshold.
create or replace function api.set_low_balance(
    below numeric default null,
    percent numeric default null,
    user_id text default null
)
returns api.low_balance
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject constant text := credits.caller_subject(set_low_balance.user_id);
    v_account_id constant uuid := credits.account_of(v_subject, false);
    v_percent constant numeric := round(set_low_balance.percent, 6);
    v_answer api.low_balance;
begin
    if num_nonnulls(set_low_balance.below, set_low_balance.percent) <> 1
        or not coalesce(v_percent > 0 and v_percent < 100, true) then
        perform credits.fail(422, 'bad_threshold', 'give either below, or percent between 0 and 100');
    elsif set_low_balance.below is not null then
        perform credits.check_amount(set_low_balance.below);
    end if;

    -- The permit ends at the old threshold, so take it back.
    perform credits.lock_wallet(v_account_id);
    insert into credits.notice_levels as n (account_id, below, percent)
    values (v_account_id, set_low_balance.below, v_percent)
    on conflict on constraint notice_levels_pkey do update
    set below = excluded.below, percent = excluded.percent, low_armed = true;

    v_answer.user_id := v_subject;
    v_answer.below := trim_scale(set_low_balance.below);
    v_answer.percent := trim_scale(v_percent);
    select trim_scale(l.low) into v_answer.threshold from credits.notice_levels_of(v_account_id) as l;
    return v_answer;
end
$$;
comment on function api.set_low_balance(numeric, numeric, text) is
'Choose when the balance counts as low: below a number of tokens, or below a percentage (to six decimals) of the last
grant; one of the two. reset_low_balance returns to the rule of the bank. When the balance falls below the threshold, a
notice is written, and no other until the balance has been above 110 percent of it.

Raises PT422 bad_threshold or bad_amount, PT404 unknown_user, PT403 not_yours, PT401 not_signed_in,
PT422 bad_isolation.';
