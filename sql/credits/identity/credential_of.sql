-- The embedded identity provider looks its users up here.
create or replace function credits.credential_of(p_email text)
returns credits.credentials
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_credential credits.credentials;
begin
    -- As addresses are stored now, and as they were stored before they had one spelling.
    select c.* into v_credential
    from credits.credentials as c
    where c.email in (credits.normal_email(p_email), lower(btrim(p_email)))
    order by (c.email = lower(btrim(p_email))) is true desc
    limit 1;
    return v_credential;
end
$$;
comment on function credits.credential_of(text) is
'The credential of an e-mail address, however the address is spelled. Nulls when it has no credential.';
