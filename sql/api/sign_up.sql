-- The embedded identity provider: an e-mail, the argon2 hash that the door made, and an account from the start.
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
    elsif not credits.is_name(sign_up.password_hash, 1000)
        or (sign_up.password_hash like '$argon2%') is not true then
        perform credits.fail(422, 'bad_password', 'the password comes as an argon2 hash');
    end if;

    -- Of sign-ups with one e-mail at once the first one gets it; the others wait here and are refused whole.
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

    -- Who brought them, what they are given, and which guest they were.
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
'Sign a user up with an e-mail and an argon2 hash, and open their account, with what new accounts are given. For '
'services.

The address is kept in one spelling: Unicode''s form NFKC in lower case, without characters that nobody sees, the domain
as mail servers write it.
referral_code: of the user who brought them; one that is not good refuses the sign-up, which may be repeated without.
device_keys: of the guest that they were. Keys that are not known are left out, or {unknown}: null and an empty array are
refused. With network_keys and shared_network, as guest_consume takes them, they are
what the bounds of a campaign count: over a bound the account opens without its welcome, and open_account tries again
later.
Raises PT409 email_taken, code_expired or code_exhausted, PT404 unknown_code, PT422 bad_email, bad_password or
bad_guest, PT403 not_yours.';
