-- Remove a limit that set_spend_limit set. A user lifts their own limit, and a service the limit that services set.
create or replace function api.lift_spend_limit(
    period text,
    user_id text default null
)
returns api.spend_limit
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject constant text := credits.caller_subject(lift_spend_limit.user_id);
    v_account_id constant uuid := credits.account_of(v_subject, false);
    v_set_by constant text := case when credits.is_service() then 'service' else 'user' end;
begin
    perform credits.check_period(lift_spend_limit.period);

    perform credits.lock_wallet(v_account_id);
    delete from credits.spend_limits as s
    where s.account_id = v_account_id and s.set_by = v_set_by and s.period = lift_spend_limit.period;
    perform credits.set_due(v_account_id);
    return credits.spend_limit_receipt(
        v_account_id, v_subject, lift_spend_limit.period, v_set_by, credits.clock(v_account_id)
    );
end
$$;
comment on function api.lift_spend_limit(text, text) is
'Lift a limit for a day or month that set_spend_limit set. Safe to repeat. The tokens in the answer are null: there is
no limit.

A user lifts their own limit. A limit that a service has set is lifted only by a service, for a user_id.
Raises PT422 bad_period, PT404 unknown_user, PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
