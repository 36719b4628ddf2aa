-- Secrets of the Standard Webhooks scheme.

create or replace function credits.make_webhook_secret(p_endpoint_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock();
    -- Two random uuids have 244 random bits.
    v_secret constant text := 'whsec_' || encode(
        sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'
    );
begin
    delete from credits.webhook_secrets as s where s.endpoint_id = p_endpoint_id and s.valid_until <= v_now;
    -- The product has a day to change to the new one.
    update credits.webhook_secrets as s
    set valid_until = credits.later(v_now, '24 hours')
    where s.endpoint_id = p_endpoint_id and s.valid_until is null;
    insert into credits.webhook_secrets (endpoint_id, secret, created_at)
    values (p_endpoint_id, v_secret, v_now);
end
$$;
comment on function credits.make_webhook_secret(uuid) is
'Makes the secret of a locked endpoint. The one before it signs messages as well for another 24 hours.';

create or replace function credits.webhook_secrets_of(p_endpoint_id uuid)
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select s.secret
        from credits.webhook_secrets as s
        where s.endpoint_id = p_endpoint_id and (s.valid_until > credits.clock()) is not false
        order by s.valid_until desc nulls first
    );
end
$$;
comment on function credits.webhook_secrets_of(uuid) is
'The secrets that messages to an endpoint are signed with: the present one, then the one before it.';
