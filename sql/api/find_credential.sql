-- Sign-in of the embedded identity provider: the door compares the password with the hash.
create or replace function api.find_credential(
    email text
)
returns api.credential
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_credential api.credential;
begin
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service may read credentials');
    end if;
    select c.subject, c.email, c.password_hash into v_credential
    from credits.credentials as c
    where c.email = lower(btrim(find_credential.email));
    return v_credential;
end
$$;
comment on function api.find_credential(text) is
'The credential of an e-mail, or a row of nulls. For services.

Raises PT403 not_yours.';
