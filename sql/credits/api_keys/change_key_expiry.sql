-- A key expires at another time. The keys that were made with it must not outlive it.
create or replace function credits.change_key_expiry(
    p_key credits.api_keys, p_expires_at timestamptz, p_user credits.api_keys
)
returns credits.api_keys
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_maker credits.api_keys;
    v_key credits.api_keys := p_key;
begin
    select k.* into v_maker from credits.api_keys as k where k.key_id = p_key.made_with;
    v_key.expires_at := credits.check_key_expiry(p_expires_at, array[p_user, v_maker]);
    update credits.api_keys as k set expires_at = v_key.expires_at where k.key_id = v_key.key_id;
    update credits.api_keys as k
    set expires_at = v_key.expires_at
    where
        k.key_id = any(credits.made_with_key(v_key.key_id)) and v_key.expires_at is not null
        and (k.expires_at <= v_key.expires_at) is not true;
    return v_key;
end
$$;
comment on function credits.change_key_expiry(credits.api_keys, timestamptz, credits.api_keys) is
'Changes when an API key expires, while the keys are locked: at the latest with the key that made it, and with p_user, '
'the key of the call. Raises PT422 bad_expiry.';
