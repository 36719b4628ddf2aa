-- A code that people can read to each other over the telephone.
create or replace function credits.random_code()
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    -- 32 characters, without 0, 1, I and O.
    v_letters constant text := '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
    v_bytes constant bytea := sha256(uuid_send(gen_random_uuid()));
begin
    return (
        select string_agg(substr(v_letters, 1 + get_byte(v_bytes, i.place) % 32, 1), '')
        from generate_series(0, 7) as i (place)
    );
end
$$;
comment on function credits.random_code() is 'Eight random characters that cannot be mistaken for one another.';
