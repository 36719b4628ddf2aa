-- The text of an API key: pgc_live_ or pgc_test_, the id of the key, 64 random hex digits, and the first 8 of the
-- sha256 of all that. The last 8 let the HTTP API and scanners of source code see that a text is a key, without the
-- database.
create or replace function credits.make_api_key_secret(p_key_id text, p_overlap interval)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock();
    v_mode constant text := case
        when (select s.stripe_livemode from credits.settings as s) is true then 'live' else 'test'
    end;
    -- Two random uuids have 244 random bits.
    v_text constant text := 'pgc_' || v_mode || '_' || p_key_id || '_' || encode(
        sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex'
    );
    v_key constant text := v_text || left(encode(sha256(convert_to(v_text, 'UTF8')), 'hex'), 8);
begin
    delete from credits.api_key_secrets as s where s.key_id = p_key_id and s.valid_until <= v_now;
    update credits.api_key_secrets as s
    set valid_until = credits.later(v_now, p_overlap)
    where s.key_id = p_key_id and s.valid_until is null;
    insert into credits.api_key_secrets (key_id, secret_hash, created_at)
    values (p_key_id, sha256(convert_to(v_key, 'UTF8')), v_now);
    return v_key;
end
$$;
comment on function credits.make_api_key_secret(text, interval) is
'Makes the secret of a locked API key, and returns the text of the key. The secret before it works for p_overlap more.';
