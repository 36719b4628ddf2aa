-- Sign-in of the embedded identity provider: the door compares the password with the hash.

create or replace function credits.credential_of(p_email text)
returns credits.credentials
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_credential credits.credentials;
begin
    -- As it is kept now; and as it was kept before addresses had one spelling.
    select c.* into v_credential
    from credits.credentials as c
    where c.email in (credits.normal_email(p_email), lower(btrim(p_email)))
    order by (c.email = lower(btrim(p_email))) is true desc
    limit 1;
    return v_credential;
end
$$;
comment on function credits.credential_of(text) is
'The credential of an e-mail address, however it is spelt; or nulls.';

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
'The credential of an e-mail, or a row of nulls. For services.

Raises PT403 not_yours.';
