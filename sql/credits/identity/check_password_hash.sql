-- The HTTP API hashes passwords. The bank takes nothing else for one.
create or replace function credits.check_password_hash(p_password_hash text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not credits.is_name(p_password_hash, 1000) or (p_password_hash like '$argon2%') is not true then
        perform credits.fail(422, 'bad_password', 'the password must come as an argon2 hash');
    end if;
end
$$;
comment on function credits.check_password_hash(text) is
'Checks that a text is an argon2 hash. Raises PT422 bad_password.';
