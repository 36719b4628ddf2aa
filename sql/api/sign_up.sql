-- Sign up with the embedded identity provider: with an e-mail address and the argon2 hash that the HTTP API made. The
-- account is opened at once.
create or replace function api.sign_up(
    email text,
    password_hash text,
    referral_code text default null,
    device_keys text[] default '{unknown}',
    network_keys text[] default '{unknown}',
    shared_network boolean default false
)
returns api.newcomer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_email constant text := credits.normal_email(sign_up.email);
    v_subject constant text := gen_random_uuid();
    v_account_id uuid;
    v_new boolean not null := false;
    v_before text;
    v_welcome record;
begin
    perform credits.require_service('may sign users up');
    if v_email is null then
        perform credits.fail(
            422, 'bad_email', 'this is not an e-mail address, or it has letters that are not allowed, or of two scripts'
        );
    end if;
    perform credits.check_password_hash(sign_up.password_hash);

    -- Of several sign-ups with one address at once, the first gets it. The others wait here, and are refused as a
    -- whole.
    select e.account_id into v_account_id from credits.enter(v_subject) as e;
    begin
        v_before := credits.bound_wait();
        insert into credits.credentials (email, password_hash, subject)
        values (v_email, sign_up.password_hash, v_subject)
        on conflict do nothing;
        v_new := found;
        perform set_config('lock_timeout', v_before, true);
    exception
        when lock_not_available then
            perform credits.refuse_busy('this e-mail address');
    end;
    if not v_new then
        perform credits.fail(409, 'email_taken', 'this e-mail address has an account already');
    end if;

    -- Record where the user comes from and who brought them, grant their welcome, and link the guest whom they were.
    perform credits.note_origin(v_account_id, sign_up.device_keys, sign_up.network_keys, sign_up.shared_network);
    perform credits.attach_at_sign_up(v_account_id, sign_up.referral_code);
    v_welcome := credits.welcome(v_account_id);
    perform credits.link_guest(v_account_id, sign_up.device_keys);
    return row(
        v_subject, v_email, null, v_welcome.tokens, v_welcome.waits_for, v_welcome.reset_at
    )::api.newcomer;
end
$$;
comment on function api.sign_up(text, text, text, text[], text[], boolean) is
'Sign a user up with an e-mail address and an argon2 hash, and open their account, with what new accounts are given. For
services.

email: stored in one spelling, which is Unicode''s form NFKC in lower case, without invisible characters, with the
domain as mail servers write it.
referral_code: the code of the user who brought them. With a code that is not valid the sign-up is refused, and may be
repeated without it.
device_keys: those of the guest who became this user. network_keys, shared_network: as for guest_consume. Leave out
keys that are not known, or pass {unknown}: null and an empty array are refused. The bounds of a campaign count by
these keys.
Over a bound the account opens without its welcome, and open_account tries again later.
Raises PT409 email_taken, code_expired or code_exhausted, PT404 unknown_code, PT422 bad_email, bad_password or
bad_guest, PT403 not_yours.';
