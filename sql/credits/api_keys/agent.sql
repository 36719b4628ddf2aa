-- Who acts, down to the API key of a call. The HTTP API puts the id of the key into the claims. So it counts in
-- sessions of the strong login alone, which no user's token reaches.

create or replace function credits.api_key_in_use()
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if session_user <> 'pgcredits_service' then
        return null;
    end if;
    return substring(
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'key_id' from '^[0-9a-f]{16}$'
    );
end
$$;
comment on function credits.api_key_in_use() is 'The id of the API key that this call came with; null for none.';

create or replace function credits.agent()
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return concat_ws(':', credits.actor(), credits.api_key_in_use());
end
$$;
comment on function credits.agent() is
'Who acts, for records: the acting role or SQL login, and after a colon the id of the API key, if there is one. Rights '
'go by credits.actor() alone.';
