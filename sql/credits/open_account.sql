-- An account opens at sign-up, at a user's first write, or at a service's first grant. Reading never opens one.
create or replace function credits.open_account(p_subject text)
returns uuid
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_account_id uuid;
begin
    if length(p_subject) not between 1 and 255 then
        perform credits.fail(422, 'bad_user', 'a user id has 1 to 255 characters');
    end if;

    -- Of two first calls at once the second waits at the identity, then finds the first one's account.
    insert into credits.accounts default values returning account_id into v_account_id;
    insert into credits.identities (subject, account_id) values (p_subject, v_account_id)
    on conflict do nothing;
    if not found then
        delete from credits.accounts as a where a.account_id = v_account_id;
        select i.account_id into v_account_id from credits.identities as i where i.subject = p_subject;
        return v_account_id;
    end if;
    insert into credits.wallets (account_id) values (v_account_id);
    return v_account_id;
end
$$;
comment on function credits.open_account(text) is
'Opens the account of a user id with an empty wallet, or finds it. Raises PT422 bad_user.';
