-- A user signs out everywhere, or a service does it for them.
create or replace function api.end_sessions(user_id text default null)
returns api.sessions_ended
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject text;
    v_account_id uuid;
begin
    v_subject := credits.caller_subject(end_sessions.user_id);
    select i.account_id into v_account_id from credits.identities as i where i.subject = v_subject;
    if v_account_id is null then
        perform credits.refuse_unknown_user();
    end if;
    return row(v_subject, credits.end_sessions_of(v_account_id, 'signed_out_everywhere'))::api.sessions_ended;
end
$$;
comment on function api.end_sessions(text) is
'End all sessions of the caller, or of the user that a service names. Safe to repeat. Access tokens that were issued
before count until they expire.

Raises PT404 unknown_user, PT401 not_signed_in, PT422 bad_user or bad_isolation, PT503 busy, PT403 not_yours.';
