-- Whose an API key is. The HTTP API asks, and remembers the answer for a few seconds. Only hashes are compared: how
-- long that takes tells nothing about a secret.
create or replace function api.resolve_api_key(
    key_id text,
    secret_hash text
)
returns api.api_key_holder
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock();
    v_hash bytea;
    v_key credits.api_keys;
    v_secret credits.api_key_secrets;
    v_state text;
begin
    perform credits.require_service('may ask whose an API key is');
    if (resolve_api_key.secret_hash ~ '^[0-9a-f]{64}$') is not true then
        return null;
    end if;
    v_hash := decode(resolve_api_key.secret_hash, 'hex');
    select s.* into v_secret
    from credits.api_key_secrets as s
    where s.key_id = resolve_api_key.key_id and s.secret_hash = v_hash;
    if not found then
        return null;
    end if;
    select k.* into strict v_key from credits.api_keys as k where k.key_id = v_secret.key_id;
    v_state := credits.api_key_state(v_key);
    if v_state = 'active' and (v_secret.valid_until <= v_now) is true then
        v_state := 'replaced';
    elsif v_state = 'active' and (v_secret.last_used_at > v_now - interval '60 seconds') is not true then
        -- When it was last used, to the minute. Another call that writes it at the same time would write the same.
        update credits.api_key_secrets as s
        set last_used_at = v_now
        where
            s.ctid = any (array(
                select x.ctid
                from credits.api_key_secrets as x
                where x.key_id = v_secret.key_id and x.secret_hash = v_hash
                for no key update skip locked
            ));
    end if;
    return row(v_key.key_id, v_key.role, v_state)::api.api_key_holder;
end
$$;
comment on function api.resolve_api_key(text, text) is
'Whose an API key is: a row of nulls when there is no such key. For services: the HTTP API asks.

key_id: the id within the text of the key. secret_hash: the sha256 of the whole text, in hex.
Raises PT403 not_yours.';
