-- Somebody signs out, here or everywhere. The refresh token says whose session it is.
create or replace function api.end_session(
    account_id uuid,
    session_id uuid,
    token_hash text,
    everywhere boolean default false
)
returns api.sessions_ended
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_session credits.sign_in_sessions;
    v_ended bigint := 0;
begin
    perform credits.require_service('may end sessions by their tokens');
    v_session := credits.find_session(end_session.account_id, end_session.session_id, end_session.token_hash);
    if v_session.session_id is null then
        return null;
    elsif end_session.everywhere is true then
        return row(
            v_session.subject, credits.end_sessions_of(v_session.account_id, 'signed_out_everywhere')
        )::api.sessions_ended;
    end if;
    update credits.sign_in_sessions as s
    set ended_at = credits.clock(), ended_by = 'signed_out'
    where s.account_id = v_session.account_id and s.session_id = v_session.session_id and s.ended_at is null;
    get diagnostics v_ended = row_count;
    return row(v_session.subject, v_ended)::api.sessions_ended;
end
$$;
comment on function api.end_session(uuid, uuid, text, boolean) is
'End the session that a refresh token is of, or with everywhere all sessions of its user. For services. Safe to repeat.
A row of nulls: there is no such token.

Raises PT503 busy, PT403 not_yours.';
