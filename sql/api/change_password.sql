-- A user has another password. Sessions that the old one opened end with it.
create or replace function api.change_password(
    email text,
    password_hash text,
    compared_hash text default null
)
returns api.sessions_ended
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_credential credits.credentials;
    v_account_id uuid;
    v_before text;
begin
    perform credits.require_service('may change passwords');
    perform credits.check_password_hash(change_password.password_hash);
    v_credential := credits.credential_of(change_password.email);
    select i.account_id into v_account_id from credits.identities as i where i.subject = v_credential.subject;
    if v_account_id is null then
        perform credits.refuse_unknown_user();
    end if;
    v_before := credits.bound_wait();
    update credits.credentials as c
    set password_hash = change_password.password_hash
    where
        c.subject = v_credential.subject
        and (change_password.compared_hash is null or c.password_hash = change_password.compared_hash) is true;
    if not found then
        perform set_config('lock_timeout', v_before, true);
        return null;
    end if;
    insert into credits.password_changes (account_id, changed_at, actor)
    values (v_account_id, credits.clock(), credits.agent());
    perform set_config('lock_timeout', v_before, true);
    return row(
        v_credential.subject, credits.end_sessions_of(v_account_id, 'password_changed')
    )::api.sessions_ended;
exception
    when lock_not_available then
        perform credits.refuse_busy('this user');
        return null;
end
$$;
comment on function api.change_password(text, text, text) is
'Give a user another password, as an argon2 hash, and end all their sessions. For services: the caller has compared the
old password, or has sent a mail to the address.

compared_hash: the hash that the old password was compared with. If it is no longer the user''s, nothing is changed, and
the answer is a row of nulls.
Raises PT404 unknown_user, PT422 bad_password, PT503 busy, PT403 not_yours.';
