-- An account for a user of any identity provider: what sign_up does for those of the embedded one. Safe to repeat.
create or replace function api.open_account(
    user_id text default null,
    referral_code text default null,
    device_keys text[] default null
)
returns api.account_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject constant text := credits.caller_subject(open_account.user_id, 'spender');
    v_entered record;
    v_receipt api.account_receipt;
begin
    if open_account.device_keys is not null and not credits.is_spender() then
        perform credits.fail(403, 'not_yours', 'only a service may say which guest this was');
    end if;
    v_entered := credits.enter(v_subject);
    perform credits.attach_at_sign_up(v_entered.account_id, open_account.referral_code);
    if v_entered.opened then
        perform credits.welcome(v_entered.account_id);
        perform credits.link_guest(v_entered.account_id, open_account.device_keys);
    end if;

    v_receipt.user_id := v_subject;
    v_receipt.opened := v_entered.opened;
    v_receipt.balance := trim_scale(credits.balance_at(v_entered.account_id, credits.clock(v_entered.account_id)));
    v_receipt.referred := exists (
        select from credits.referrals as r where r.account_id = v_entered.account_id
    );
    return v_receipt;
end
$$;
comment on function api.open_account(text, text, text[]) is
'Open the caller''s account, with what new accounts are given, or find it. Safe to repeat.

referral_code: of the user who brought them; one that is not good refuses the call, which may be repeated without.
device_keys, from services and spenders only: of the guest that a new user was.
Raises PT404 unknown_code, PT409 code_expired, code_exhausted, own_code, not_eligible or referral_circle,
PT422 bad_user, PT423 account_frozen, PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
