-- Functions of the bank raise errors only through this one. SQLSTATE PTxyz becomes HTTP status xyz. DETAIL is JSON text
-- that begins with the slug. The register of slugs is in sql/README.md.
create or replace function credits.fail(
    p_status integer,
    p_slug text,
    p_message text,
    p_facts json default '{}'
)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using
        errcode = 'PT' || p_status,
        message = p_message,
        detail = '{"error": "' || p_slug || '"'
            || case when p_facts::text is not distinct from '{}' then '}' else ', ' || substr(p_facts::text, 2) end;
end
$$;
comment on function credits.fail(integer, text, text, json) is
'Raises SQLSTATE PT<status> with a message for people, and a DETAIL for programs: {"error": slug, …facts}.';
