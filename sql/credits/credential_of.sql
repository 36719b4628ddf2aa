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
