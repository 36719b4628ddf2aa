-- An account for a user of any identity provider, as sign_up opens one for users of the embedded provider. Safe to
-- repeat.
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
'Open the caller''s account, with what new accounts are given, or find it. Safe to repeat: a welcome that was withheld
is tried again.

referral_code: the code of the user who brought them. With a code that is not valid the call is refused, and may be
repeated without it.
Only from services and spenders: device_keys, of the guest who became this user; network_keys and shared_network, as
for guest_consume, for the bounds of campaigns. Only from services: email_verified, which says that the issuer has
verified the address. Leave out keys that are not known, or pass {unknown}: null and an empty array are refused.
Raises PT404 unknown_code, PT409 code_expired, code_exhausted, own_code, not_eligible or referral_circle,
PT422 bad_user, bad_guest or bad_isolation, PT423 account_frozen, PT403 not_yours, PT401 not_signed_in.';
