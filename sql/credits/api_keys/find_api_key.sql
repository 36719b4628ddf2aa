-- An API key by its id, and what its operator is told of it. Callers have locked the keys.

create or replace function credits.find_api_key(p_key_id text)
returns credits.api_keys
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_key credits.api_keys;
begin
    select k.* into v_key from credits.api_keys as k where k.key_id = lower(p_key_id);
    if not found then
        perform credits.fail(404, 'unknown_api_key', 'no such API key');
    end if;
    return v_key;
end
$$;
comment on function credits.find_api_key(text) is 'An API key by its id. Raises PT404 unknown_api_key.';

create or replace function credits.api_key_state(p_key credits.api_keys)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case
        when p_key.revoked_at is not null then 'revoked'
        when (p_key.expires_at <= credits.clock()) is true then 'expired'
        else 'active'
    end;
end
$$;
comment on function credits.api_key_state(credits.api_keys) is 'The state of an API key: active, expired or revoked.';

create or replace function credits.refuse_closed_key(p_key credits.api_keys)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_state constant text := credits.api_key_state(p_key);
begin
    if v_state <> 'active' then
        perform credits.fail(
            409, 'api_key_closed', 'this API key is ' || v_state, json_build_object('state', v_state)
        );
    end if;
end
$$;
comment on function credits.refuse_closed_key(credits.api_keys) is
'Refuses an API key that is revoked or expired. Raises PT409 api_key_closed.';

create or replace function credits.note_api_key(p_key_id text, p_change text, p_reason text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into credits.api_key_changes (key_id, change, reason, actor, changed_at)
    values (p_key_id, p_change, p_reason, credits.agent(), credits.clock());
end
$$;
comment on function credits.note_api_key(text, text, text) is 'Records what was done to an API key, by whom and why.';

create or replace function credits.api_key_receipt(p_key_id text, p_text text default null)
returns api.api_key
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_key credits.api_keys;
begin
    select k.* into strict v_key from credits.api_keys as k where k.key_id = p_key_id;
    return row(
        v_key.key_id, v_key.name, v_key.role, credits.api_key_state(v_key), v_key.expires_at, p_text, false
    )::api.api_key;
end
$$;
comment on function credits.api_key_receipt(text, text) is
'The answer of api functions about an API key. p_text is its text, in the call that made it.';
