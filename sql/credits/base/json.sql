-- Whether JSON can be stored. It is checked before anything turns it into text: a number like 1e131071 or 1e-16383
-- arrives as nine bytes, and becomes 131 or 16 kB as text.
create or replace function credits.is_metadata(p_metadata jsonb)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- The value is built anew: one that was read from a table may be compressed to a few bytes.
    return jsonb_typeof(p_metadata) is not distinct from 'object'
        and pg_column_size('{}' || p_metadata) <= 16384
        and not exists (
            select
            from jsonb_path_query(p_metadata, 'strict $.** ? (@.type() == "number")') as n (number)
            where abs(n.number::numeric) > 1e100 or scale(n.number::numeric) > 100
        );
end
$$;
comment on function credits.is_metadata(jsonb) is
'Whether this is an object of at most 16 kB, without numbers beyond 10^100 or with more than 100 decimals. Its texts '
'may contain any character: JSON writes control characters as escapes.';

create or replace function credits.check_metadata(p_metadata jsonb)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not credits.is_metadata(p_metadata) then
        perform credits.fail(
            422, 'bad_metadata',
            'metadata is an object of at most 16 kB, with numbers of at most 100 digits and 100 decimals'
        );
    elsif (pg_column_size('{}' || p_metadata) > 1024 and not credits.is_spender()) is true then
        perform credits.fail(422, 'bad_metadata', 'metadata of a user must be an object of at most 1 kB');
    end if;
end
$$;
comment on function credits.check_metadata(jsonb) is
'Checks that metadata is as credits.is_metadata says, and, from a user, at most 1 kB. Raises PT422 bad_metadata.';
