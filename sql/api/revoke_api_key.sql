-- A key opens nothing any more, and neither do the keys that were made with it.
create or replace function api.revoke_api_key(
    key_id text,
    reason text default null
)
returns api.api_key
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_key credits.api_keys;
    v_revoked text;
begin
    perform credits.require_service('may revoke API keys');
    perform credits.check_reason(revoke_api_key.reason);
    perform credits.lock_api_keys();
    v_key := credits.find_api_key(revoke_api_key.key_id);
    for v_revoked in
        update credits.api_keys as k
        set revoked_at = credits.clock()
        where k.key_id = any(credits.made_with_key(v_key.key_id)) and k.revoked_at is null
        returning k.key_id
    loop
        perform credits.note_api_key(v_revoked, 'revoked', revoke_api_key.reason);
    end loop;
    return credits.api_key_receipt(v_key.key_id);
end
$$;
comment on function api.revoke_api_key(text, text) is
'Revoke an API key and the keys that were made with it. For services. The HTTP API notices within 10 seconds. The call
records who revoked it, when and why. Revoking it again changes nothing.

Raises PT404 unknown_api_key, PT409 api_key_closed, PT422 bad_reason, PT503 busy, PT403 not_yours.';
