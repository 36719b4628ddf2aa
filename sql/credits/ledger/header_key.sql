-- The header Idempotency-Key behind a real PostgREST, which passes the headers of a request on as a setting. Our own
-- HTTP API gives the key as the argument, and sets no headers. A key is that of the function that was called: what this
-- function calls in turn has no key of its own.

create or replace function credits.read_header_key(p_function text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_key text;
begin
    if not (session_user in ('pgcredits_api', 'pgcredits_service') or credits.is_trusted_login())
        or right(current_setting('request.path', true), length(p_function) + 5) is distinct from '/rpc/' || p_function then
        return null;
    end if;
    v_key := current_setting('request.headers', true)::jsonb ->> 'idempotency-key';
    if v_key is not null then
        perform credits.check_key(v_key);
    end if;
    return v_key;
end
$$;
comment on function credits.read_header_key(text) is
'The key that came as a header with a call of this function, on a login of the HTTP API or a trusted one; null for '
'none. Raises PT422 bad_key.';

-- A call that gives its key as an argument never comes here. The planner inlines this into the calls that do.
create or replace function credits.header_key(p_function text)
returns text
language sql
stable
return case
    when (current_setting('request.headers', true) like '%"idempotency-key"%') is true
        then credits.read_header_key(p_function)
end;
comment on function credits.header_key(text) is
'The header Idempotency-Key of a call of this function that came through PostgREST; null for none. Raises PT422 '
'bad_key.';
