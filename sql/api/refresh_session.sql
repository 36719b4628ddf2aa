-- A session goes on: each token refreshes it once, and is replaced by the next.
--
--   1. Find the token, and lock its session.
--   2. A session that has ended stays ended.
--   3. A token that was used before may have been stolen: the session ends. A browser with two tabs, and a client that
--      lost the answer, repeat a call within seconds.
--   4. Mark the token as used, and make the next one.
create or replace function api.refresh_session(
    account_id uuid,
    session_id uuid,
    token_hash text
)
returns api.session
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_session credits.sign_in_sessions;
    v_now timestamptz;
    v_used_at timestamptz;
begin
    perform credits.require_service('may refresh sessions');
    v_session := credits.find_session(
        refresh_session.account_id, refresh_session.session_id, refresh_session.token_hash
    );
    v_now := credits.clock();
    if v_session.session_id is null then
        return null;
    elsif v_session.ended_at is not null then
        return row(v_session.subject, 'ended', null, null)::api.session;
    elsif (v_session.expires_at > v_now) is not true then
        return row(v_session.subject, 'expired', null, null)::api.session;
    end if;

    select t.used_at into v_used_at
    from credits.refresh_tokens as t
    where
        t.account_id = v_session.account_id and t.session_id = v_session.session_id
        and t.token_hash = decode(refresh_session.token_hash, 'hex');
    if (v_used_at < v_now - interval '10 seconds') is true then
        update credits.sign_in_sessions as s
        set ended_at = v_now, ended_by = 'token_reused'
        where s.account_id = v_session.account_id and s.session_id = v_session.session_id;
        return row(v_session.subject, 'ended', null, null)::api.session;
    end if;

    update credits.refresh_tokens as t
    set used_at = coalesce(t.used_at, v_now)
    where
        t.account_id = v_session.account_id and t.session_id = v_session.session_id
        and t.token_hash = decode(refresh_session.token_hash, 'hex');
    return credits.make_refresh_token(v_session);
end
$$;
comment on function api.refresh_session(uuid, uuid, text) is
'Refresh a session with its token, of which token_hash is the sha256 in hex. For services. The answer has the next
token. The same token within 10 seconds gets another one. Later it ends the session: somebody else may have it.

state: active; or ended or expired, without a token. A row of nulls: there is no such token.
Raises PT503 busy, PT403 not_yours.';
