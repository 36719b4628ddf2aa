-- A repeated call, by its idempotency key, makes no second API key.
create or replace function credits.enter_api_key(
    p_key credits.api_keys, p_arguments jsonb
)
returns api.api_key
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_fingerprint bytea;
    v_known credits.api_keys;
    v_receipt api.api_key;
begin
    if p_key.idempotency_key is not null then
        perform credits.check_key(p_key.idempotency_key);
        v_fingerprint := credits.fingerprint(p_arguments);
        select k.* into v_known from credits.api_keys as k where k.idempotency_key = p_key.idempotency_key;
        if found then
            if v_known.fingerprint is distinct from v_fingerprint then
                perform credits.refuse_key();
            end if;
            v_receipt := credits.api_key_receipt(v_known.key_id);
            v_receipt.replayed := true;
            return v_receipt;
        end if;
    end if;
    insert into credits.api_keys (
        key_id, name, role, made_with, made_by, idempotency_key, fingerprint, created_at, expires_at
    )
    values (
        p_key.key_id, p_key.name, p_key.role, p_key.made_with, credits.agent(), p_key.idempotency_key, v_fingerprint,
        credits.clock(), p_key.expires_at
    );
    perform credits.note_api_key(p_key.key_id, 'created', null);
    return credits.api_key_receipt(p_key.key_id, credits.make_api_key_secret(p_key.key_id, interval '0'));
end
$$;
comment on function credits.enter_api_key(credits.api_keys, jsonb) is
'Writes an API key while the keys are locked. A call that repeats another, by its idempotency key, gets the key of '
'that call, without its text. Raises PT409 key_reused, PT422 bad_key.';
