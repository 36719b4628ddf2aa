-- Tokens that refresh a session: pgr_, the account and the session, and 64 random hex digits. The bank keeps the
-- sha256.

create or replace function credits.make_refresh_token(p_session credits.sign_in_sessions)
returns api.session
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock();
    -- Two random uuids have 244 random bits.
    v_token constant text := 'pgr_' || replace(p_session.account_id::text || p_session.session_id::text, '-', '') || '_'
        || encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex');
    v_expires_at timestamptz;
begin
    insert into credits.refresh_tokens (account_id, session_id, token_hash, issued_at)
    values (p_session.account_id, p_session.session_id, sha256(convert_to(v_token, 'UTF8')), v_now);
    update credits.sign_in_sessions as s
    set
        expires_at = case
            when v_now + interval '720:00:00' < s.began_at + interval '8760:00:00' then v_now + interval '720:00:00'
            else s.began_at + interval '8760:00:00'
        end
    where s.account_id = p_session.account_id and s.session_id = p_session.session_id
    returning s.expires_at into v_expires_at;
    return row(p_session.subject, 'active', v_token, v_expires_at)::api.session;
end
$$;
comment on function credits.make_refresh_token(credits.sign_in_sessions) is
'Makes the next token of a locked session. The session then ends in 30 days if nobody refreshes it, and a year after '
'its beginning at the latest.';

create or replace function credits.find_session(p_account_id uuid, p_session_id uuid, p_token_hash text)
returns credits.sign_in_sessions
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_session credits.sign_in_sessions;
    v_before text;
begin
    if (p_token_hash ~ '^[0-9a-f]{64}$') is not true or not exists (
        select
        from credits.refresh_tokens as t
        where
            t.account_id = p_account_id and t.session_id = p_session_id and t.token_hash = decode(p_token_hash, 'hex')
    ) then
        return null;
    end if;
    v_before := credits.bound_wait();
    select s.* into strict v_session
    from credits.sign_in_sessions as s
    where s.account_id = p_account_id and s.session_id = p_session_id
    for no key update;
    perform set_config('lock_timeout', v_before, true);
    return v_session;
exception
    when lock_not_available then
        perform credits.refuse_busy('this session');
        return null;
end
$$;
comment on function credits.find_session(uuid, uuid, text) is
'The session that a refresh token is of, locked; nulls if there is no such token. Raises PT503 busy.';

create or replace function credits.end_sessions_of(p_account_id uuid, p_ended_by text)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before text;
    v_ended bigint;
begin
    v_before := credits.bound_wait();
    update credits.sign_in_sessions as s
    set ended_at = credits.clock(), ended_by = p_ended_by
    where s.account_id = p_account_id and s.ended_at is null;
    get diagnostics v_ended = row_count;
    perform set_config('lock_timeout', v_before, true);
    return v_ended;
exception
    when lock_not_available then
        perform credits.refuse_busy('a session');
        return null;
end
$$;
comment on function credits.end_sessions_of(uuid, text) is
'Ends all sessions of an account, and returns how many. Raises PT503 busy.';

create or replace function credits.forget_sessions(p_max bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before constant timestamptz := credits.kept_since('sessions');
    v_session record;
    v_forgotten bigint := 0;
begin
    for v_session in
        select s.account_id, s.session_id
        from credits.sign_in_sessions as s
        where s.expires_at < v_before
        order by s.expires_at
        limit p_max
        for update skip locked
    loop
        delete from credits.refresh_tokens as t
        where t.account_id = v_session.account_id and t.session_id = v_session.session_id;
        delete from credits.sign_in_sessions as s
        where s.account_id = v_session.account_id and s.session_id = v_session.session_id;
        v_forgotten := v_forgotten + 1;
    end loop;
    return v_forgotten;
end
$$;
comment on function credits.forget_sessions(bigint) is
'Forgets at most p_max sessions that expired longer ago than their period, and returns how many. Null means all of '
'them.';
