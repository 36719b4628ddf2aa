-- A key gets a new secret. The old one works for a while, so that the backend can change to the new one.
create or replace function api.rotate_api_key(
    key_id text,
    overlap interval default interval '24:00:00',
    expires_at timestamptz default null,
    reason text default null
)
returns api.api_key
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user credits.api_keys;
    v_key credits.api_keys;
    v_seconds constant numeric := extract(epoch from coalesce(rotate_api_key.overlap, interval '24:00:00'));
begin
    perform credits.require_service('may rotate API keys');
    perform credits.check_reason(rotate_api_key.reason);
    if (v_seconds between 0 and 30 * 86400) is not true then
        perform credits.fail(422, 'bad_api_key', 'overlap must be from 0 to 30 days');
    end if;
    v_user := credits.lock_api_keys();
    v_key := credits.find_api_key(rotate_api_key.key_id);
    if v_user.key_id is not null and not coalesce(v_key.key_id = any(credits.made_with_key(v_user.key_id)), false) then
        perform credits.fail(403, 'not_yours', 'an API key rotates itself, and the keys that were made with it');
    elsif rotate_api_key.expires_at is not null then
        v_key := credits.change_key_expiry(v_key, rotate_api_key.expires_at, v_user);
    end if;
    perform credits.refuse_closed_key(v_key);
    perform credits.note_api_key(v_key.key_id, 'rotated', rotate_api_key.reason);
    return credits.api_key_receipt(
        v_key.key_id, credits.make_api_key_secret(v_key.key_id, make_interval(secs => v_seconds))
    );
end
$$;
comment on function api.rotate_api_key(text, interval, timestamptz, text) is
'Give an API key a new secret. Its id, name and role stay. For services.

overlap: how long the old secret still works, 0 to 30 days. expires_at: when the key now expires, infinity for never. If
it is left out, that stays as it was. Keys that were made with this one expire no later than it does.
api_key: what the backend sends from now on. Only this answer shows it. Each call makes another secret.
A call that comes with an API key rotates that key and the keys that were made with it, and no others.
Raises PT404 unknown_api_key, PT409 api_key_closed, PT422 bad_api_key, bad_expiry or bad_reason, PT503 busy, PT403
not_yours.';
