-- Who the user was, and how they signed in.
create or replace function credits.forget_identity(p_account_id uuid)
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_logins text[];
begin
    delete from credits.sign_in_counts as c
    using credits.credentials as k, credits.identities as i
    where
        i.account_id = p_account_id and k.subject = i.subject
        and strpos(c.scope, credits.email_key(k.email)) > 0;
    delete from credits.refresh_tokens as t where t.account_id = p_account_id;
    delete from credits.sign_in_sessions as s where s.account_id = p_account_id;
    delete from credits.password_changes as c where c.account_id = p_account_id;
    delete from credits.sign_in_networks as n where n.account_id = p_account_id;
    delete from credits.account_origins as o where o.account_id = p_account_id;
    delete from credits.credentials as k
    using credits.identities as i
    where i.account_id = p_account_id and k.subject = i.subject;
    delete from credits.identities as i where i.account_id = p_account_id;
    with gone as (
        delete from credits.sql_logins as l where l.account_id = p_account_id returning l.login
    )

    select coalesce(array_agg(g.login::text order by g.login), '{}') into v_logins from gone as g;
    -- Devices are known by keyed hashes, which the next use of the same device would bring again.
    update credits.guests as g
    set device_key = encode(sha256(uuid_send(gen_random_uuid())), 'hex')
    where g.linked_to = p_account_id;
    return v_logins;
end
$$;
comment on function credits.forget_identity(uuid) is
'Removes the user ids of an account, how its user signed in and from where. Returns the SQL logins that were its '
'user''s: an administrator must drop them.';
