-- Sign-in with the embedded identity provider: the HTTP API compares the password with the hash.

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
    v_found credits.credentials;
begin
    perform credits.require_service('may read credentials');
    v_found := credits.credential_of(find_credential.email);
    return row(v_found.subject, v_found.email, v_found.password_hash)::api.credential;
end
$$;
comment on function api.find_credential(text) is
'The credential of an e-mail address, or a row of nulls. For services.

Raises PT403 not_yours.';
