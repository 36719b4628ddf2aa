-- A call that changes API keys locks them all: such calls are rare, and each looks at several keys. Nobody who uses a
-- key waits for this.
--
-- A stolen key must be of no use once it is revoked. So whatever it makes ends with it, and it renews no key of others.

create or replace function credits.lock_api_keys()
returns credits.api_keys
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before text;
    v_key_id constant text := credits.api_key_in_use();
    v_key credits.api_keys;
begin
    v_before := credits.bound_wait();
    lock table credits.api_keys in share row exclusive mode;
    perform set_config('lock_timeout', v_before, true);
    -- The HTTP API remembers a key for some seconds after it was revoked.
    if v_key_id is not null then
        v_key := credits.find_api_key(v_key_id);
        perform credits.refuse_closed_key(v_key);
    end if;
    return v_key;
exception
    when lock_not_available then
        perform credits.refuse_busy('the API keys');
        return null;
end
$$;
comment on function credits.lock_api_keys() is
'Locks the API keys against other changes, and returns the key that this call came with; nulls if it came with none. '
'Raises PT409 api_key_closed, PT404 unknown_api_key, PT503 busy.';

create or replace function credits.made_with_key(p_key_id text)
returns text[]
language sql
stable
begin atomic
    with recursive made (key_id) as (
        select p_key_id
        union
        select k.key_id
        from made as m
        inner join credits.api_keys as k on m.key_id = k.made_with
    )

    select array_agg(m.key_id) from made as m;
end;
comment on function credits.made_with_key(text) is
'An API key, and the keys that were made with it, directly or through others.';

create or replace function credits.check_key_expiry(p_expires_at timestamptz, p_makers credits.api_keys[])
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_end timestamptz;
begin
    if p_expires_at is null then
        perform credits.fail(422, 'bad_expiry', 'expires_at of an API key must be a time, or infinity for never');
    elsif (p_expires_at >= timestamptz '10000-01-01 00:00+00' and p_expires_at <> 'infinity') is true then
        perform credits.fail(422, 'bad_expiry', 'expires_at of an API key must be before the year 10000');
    elsif (p_expires_at <= credits.clock()) is true then
        perform credits.fail(422, 'bad_expiry', 'expires_at of an API key must not be in the past');
    end if;
    select min(coalesce(m.expires_at, 'infinity')) into v_end from unnest(p_makers) as m;
    return nullif(least(p_expires_at, coalesce(v_end, 'infinity')), 'infinity');
end
$$;
comment on function credits.check_key_expiry(timestamptz, credits.api_keys[]) is
'When a key expires that should expire at p_expires_at: at the latest with the keys that made it. Null means never. '
'Raises PT422 bad_expiry.';
