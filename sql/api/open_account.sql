-- An account for a user of any identity provider: what sign_up does for those of the embedded one. Safe to repeat.
create or replace function api.open_account(
    user_id text default null,
    referral_code text default null,
    device_keys text[] default '{unknown}',
    network_keys text[] default '{unknown}',
    shared_network boolean default false,
    email_verified boolean default false
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
    v_welcome record;
begin
    if not credits.is_spender() and (
        open_account.device_keys is distinct from '{unknown}' or open_account.network_keys is distinct from '{unknown}'
        or open_account.shared_network is true
    ) or not credits.is_service() and open_account.email_verified is true then
        perform credits.fail(
            403, 'not_yours', 'only a service may say where a user comes from, and whose address is verified'
        );
    end if;
    v_entered := credits.enter(v_subject);
    perform credits.note_origin(
        v_entered.account_id, open_account.device_keys, open_account.network_keys, open_account.shared_network
    );
    perform credits.attach_at_sign_up(v_entered.account_id, open_account.referral_code);
    if open_account.email_verified is true then
        perform credits.mark_verified(v_entered.account_id);
    end if;
    if v_entered.opened then
        v_welcome := credits.welcome(v_entered.account_id);
        perform credits.link_guest(v_entered.account_id, open_account.device_keys);
    else
        v_welcome := credits.welcome_again(v_entered.account_id);
    end if;
    return credits.account_receipt(
        v_entered.account_id, v_subject, v_entered.opened, v_welcome.tokens, v_welcome.waits_for, v_welcome.reset_at
    );
end
$$;
comment on function api.open_account(text, text, text[], text[], boolean, boolean) is
'Open the caller''s account, with what new accounts are given, or find it. Safe to repeat; a welcome that was withheld
is tried again.

referral_code: of the user who brought them; one that is not good refuses the call, which may be repeated without.
From services and spenders only: device_keys, of the guest that a new user was; network_keys and shared_network, as
guest_consume takes them, for the bounds of campaigns. From services only: email_verified, the issuer has verified the
user''s address. Keys that are not known are left out, or {unknown}: null and an empty array are refused.
Raises PT404 unknown_code, PT409 code_expired, code_exhausted, own_code, not_eligible or referral_circle,
PT422 bad_user, bad_guest or bad_isolation, PT423 account_frozen, PT403 not_yours, PT401 not_signed_in.';
