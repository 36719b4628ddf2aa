-- Is this JSON that can be kept? Asked before anything turns it into text: a number like 1e131071 or 1e-16383 is
-- nine bytes on the way in, and 131 or 16 kB as text.
create or replace function credits.check_metadata(p_metadata jsonb)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if jsonb_typeof(p_metadata) is distinct from 'object' or pg_column_size(p_metadata) > 16384
        or exists (
            select
            from jsonb_path_query(p_metadata, 'strict $.** ? (@.type() == "number")') as n (number)
            where abs(n.number::numeric) > 1e100 or scale(n.number::numeric) > 100
        ) then
        perform credits.fail(
            422, 'bad_metadata',
            'metadata is an object of at most 16 kB, with numbers of at most 100 digits and 100 decimals'
        );
    end if;
end
$$;
comment on function credits.check_metadata(jsonb) is
'Raises PT422 bad_metadata unless it is an object of at most 16 kB, without numbers beyond 10^100 or with more '
'than 100 decimals.';
