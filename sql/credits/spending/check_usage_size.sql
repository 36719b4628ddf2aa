-- Usage must be small: every entry stores it, and the hash chain keeps it for ever.
create or replace function credits.check_usage_size(p_usage jsonb)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if (pg_column_size(p_usage) > 2048) is true then
        perform credits.fail(422, 'bad_usage', 'usage is larger than 2 kB');
    end if;
end
$$;
comment on function credits.check_usage_size(jsonb) is
'Checks that usage takes at most 2048 bytes as jsonb; null passes. Raises PT422 bad_usage.';
