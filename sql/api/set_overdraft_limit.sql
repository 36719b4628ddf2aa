-- How far captures may take an account into debt: how much the operator trusts a customer.
create or replace function api.set_overdraft_limit(
    tokens numeric,
    user_id text default null
)
returns api.overdraft
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject text;
    v_account_id uuid;
    v_overdraft api.overdraft;
begin
    perform credits.require_service('may set an overdraft limit');
    if set_overdraft_limit.tokens is distinct from 0 then
        perform credits.check_amount(set_overdraft_limit.tokens);
    end if;
    v_subject := credits.caller_subject(set_overdraft_limit.user_id);
    v_account_id := credits.account_of(v_subject, false);

    -- Under the lock, so that a capture at the same moment uses either the old limit or the new one.
    perform credits.lock_wallet(v_account_id);
    update credits.accounts as a
    set overdraft_limit = set_overdraft_limit.tokens
    where a.account_id = v_account_id;
    v_overdraft.user_id := v_subject;
    select trim_scale(a.overdraft_limit), trim_scale(w.debt) into v_overdraft.tokens, v_overdraft.debt
    from credits.accounts as a
    join credits.wallets as w on a.account_id = w.account_id
    where a.account_id = v_account_id;
    return v_overdraft;
end
$$;
comment on function api.set_overdraft_limit(numeric, text) is
'Set how many tokens of debt an account may have. By default it is 0, which means none. For services.

Only captures by services make debt, for work that cost more than was held and more than the lots could pay. Purchases
repay the debt first. With more debt than the limit, the account cannot spend or hold anything new.
Raises PT422 bad_amount or bad_user, PT404 unknown_user, PT403 not_yours.';
