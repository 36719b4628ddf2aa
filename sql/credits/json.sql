-- Is this JSON that can be kept? Asked before anything turns it into text: a number like 1e131071 is nine bytes on
-- the way in and 131 kB as text.
create or replace function credits.check_metadata(p_metadata jsonb)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if jsonb_typeof(p_metadata) is distinct from 'object' or pg_column_size(p_metadata) > 16384
        or jsonb_path_exists(p_metadata, '$.** ? (@.type() == "number" && (@ > 1e100 || @ < -1e100))') then
        perform credits.fail(
            422, 'bad_metadata', 'metadata is an object of at most 16 kB, with numbers of at most 100 digits'
        );
    end if;
end
$$;
comment on function credits.check_metadata(jsonb) is
'Raises PT422 bad_metadata unless it is an object of at most 16 kB, without numbers beyond 10^100.';
