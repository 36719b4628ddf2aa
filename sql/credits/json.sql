-- Whether JSON can be stored. It is checked before anything turns it into text: a number like 1e131071 or 1e-16383
-- arrives as nine bytes, and becomes 131 or 16 kB of text.
create or replace function credits.check_metadata(p_metadata jsonb)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_size bigint;
begin
    -- The value is built anew: one that was read from a table may be compressed to a few bytes.
    v_size := pg_column_size('{}' || p_metadata);
    if (v_size > 1024 and v_size <= 16384 and not credits.is_spender()) is true then
        perform credits.fail(422, 'bad_metadata', 'metadata of a user is an object of at most 1 kB');
    end if;
    if jsonb_typeof(p_metadata) is distinct from 'object' or (v_size <= 16384) is not true
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
'Checks that metadata is an object of at most 16 kB (from a user: 1 kB), without numbers beyond 10^100 or with more '
'than 100 decimals. Its texts may contain any character: JSON writes control characters as escapes. Raises PT422 '
'bad_metadata.';
