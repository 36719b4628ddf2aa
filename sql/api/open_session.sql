-- Somebody has signed in: their session begins. The password that was compared must still be theirs, so that nobody
-- signs in with a password that is being changed.
create or replace function api.open_session(
    email text,
    password_hash text
)
returns api.session
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_email text;
    v_credential credits.credentials;
    v_session credits.sign_in_sessions;
    v_before text;
begin
    perform credits.require_service('may open sessions');
    v_email := (credits.credential_of(open_session.email)).email;
    v_before := credits.bound_wait();
    select c.* into v_credential from credits.credentials as c where c.email is not distinct from v_email for share;
    perform set_config('lock_timeout', v_before, true);
    if (v_credential.password_hash = open_session.password_hash) is not true then
        return null;
    end if;
    insert into credits.sign_in_sessions (account_id, subject, began_at, expires_at)
    select i.account_id, i.subject, credits.clock(), credits.clock()
    from credits.identities as i
    where i.subject = v_credential.subject
    returning * into strict v_session;
    return credits.make_refresh_token(v_session);
exception
    when lock_not_available then
        perform credits.refuse_busy('this user');
        return null;
end
$$;
comment on function api.open_session(text, text) is
'Open a session for a user whose password was right: docs/identity.md. For services.

password_hash: the hash that the password was compared with. If it is no longer the user''s, the answer is a row of
nulls. refresh_token: refreshes the session once. Only this answer shows it.
Raises PT503 busy, PT403 not_yours.';
