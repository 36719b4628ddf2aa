-- A backend gets a key of its own. Only this answer shows it.
create or replace function api.create_api_key(
    name text,
    role text,
    expires_at timestamptz default 'infinity',
    idempotency_key text default null
)
returns api.api_key
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_maker credits.api_keys;
    v_key credits.api_keys;
begin
    idempotency_key := coalesce(create_api_key.idempotency_key, credits.header_key('create_api_key'));
    perform credits.require_service('may make API keys');
    if not credits.is_label(create_api_key.name, 200) or coalesce(btrim(create_api_key.name), '') = '' then
        perform credits.fail(422, 'bad_api_key', 'name must have 1 to 200 characters, and no control characters');
    elsif (create_api_key.role in ('spender', 'support', 'service_role')) is not true then
        perform credits.fail(422, 'bad_api_key', 'role must be spender, support or service_role');
    end if;
    v_maker := credits.lock_api_keys();
    v_key.key_id := left(encode(sha256(uuid_send(gen_random_uuid())), 'hex'), 16);
    v_key.name := create_api_key.name;
    v_key.role := create_api_key.role;
    v_key.made_with := v_maker.key_id;
    v_key.idempotency_key := create_api_key.idempotency_key;
    v_key.expires_at := credits.check_key_expiry(create_api_key.expires_at, array[v_maker]);
    return credits.enter_api_key(
        v_key,
        jsonb_build_object(
            'name', create_api_key.name, 'role', create_api_key.role,
            'expires_at', credits.utc_text(create_api_key.expires_at)
        )
    );
end
$$;
comment on function api.create_api_key(text, text, timestamptz, text) is
'Make an API key for a backend: docs/identity.md. For services.

name: what you call it. role: what its calls may do: spender, support or service_role. expires_at: infinity means never.
idempotency_key: a repeated call makes no second key. It answers replayed, without the text of the key: if the first
answer was lost, rotate the key.
api_key: what the backend sends, as a bearer token or in the header apikey. Only this answer shows it. A key that was
made with another key ends with that one, at the latest, and is revoked with it.
Raises PT422 bad_api_key, bad_expiry or bad_key, PT409 key_reused or api_key_closed, PT404 unknown_api_key, PT503 busy,
PT403 not_yours.';
