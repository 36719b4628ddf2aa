-- How a code is kept, and compared with what somebody typed. Its definition and its use go through the same function.
create or replace function credits.normal_code(p_code text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return nullif(normalize(upper(replace(credits.plain_text(p_code), ' ', '')), nfkc), '');
end
$$;
comment on function credits.normal_code(text) is
'A code as it is kept: upper case, in Unicode''s form NFKC, without white space and without characters that nobody '
'sees; null for nothing.';
