-- Which of 65,536 buckets a user's things belong to: the first 16 bits of the sha256 of the user id. Every id of an
-- account, an entry, a hold and a shortfall begins with them, as four hex digits. Nothing reads them yet. Ids are part
-- of the hash chain and can never be changed, so they are ready for a bank on several servers: docs/scaling.md.
create or replace function credits.bucket(p_subject text)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_hash constant bytea := sha256(convert_to(p_subject, 'UTF8'));
begin
    return get_byte(v_hash, 0) * 256 + get_byte(v_hash, 1);
end
$$;
comment on function credits.bucket(text) is 'The bucket of a user id: 0 to 65535.';

create or replace function credits.bucket_of(p_account_id uuid)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return get_byte(uuid_send(p_account_id), 0) * 256 + get_byte(uuid_send(p_account_id), 1);
end
$$;
comment on function credits.bucket_of(uuid) is 'The bucket of an account, which its id begins with: 0 to 65535.';

create or replace function credits.new_account_id(p_subject text default null)
returns uuid
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_random constant text := gen_random_uuid();
    v_bucket constant bigint := credits.bucket(coalesce(p_subject, v_random));
begin
    -- The version and the variant of a random uuid stand behind the first 16 bits.
    return overlay(v_random placing lpad(to_hex(v_bucket), 4, '0') from 1 for 4)::uuid;
end
$$;
comment on function credits.new_account_id(text) is
'An id for an account that is about to be opened: a random uuid (version 4) that begins with the bucket of the user '
'id. Null: an account without a user, in a random bucket.';

create or replace function credits.bucket_of_event(p_event_id text, p_event jsonb)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_uuid constant text := '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
    v_named text;
begin
    -- A Checkout session names the account; a payment intent and a charge have it in their metadata.
    select a.id into v_named
    from unnest(array[
        p_event #>> '{data,object,client_reference_id}', p_event #>> '{data,object,metadata,account_id}'
    ]) with ordinality as a (id, place)
    where a.id ~ v_uuid
    order by a.place
    limit 1;
    return case when v_named is null then credits.bucket(p_event_id) else credits.bucket_of(v_named::uuid) end;
end
$$;
comment on function credits.bucket_of_event(text, jsonb) is
'The bucket of a Stripe event: of the account that its object names, else of the event''s own id. 0 to 65535.';
