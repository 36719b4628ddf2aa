-- An account opens at sign-up, at a user's first write, or at a service's first grant. Reading never opens an account.

create or replace function credits.enter(p_subject text, out account_id uuid, out opened boolean)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before text;
begin
    select i.account_id into account_id from credits.identities as i where i.subject = p_subject;
    opened := account_id is null;
    if not opened then
        return;
    elsif not credits.is_name(p_subject, 255) then
        perform credits.fail(
            422, 'bad_user',
            'a user id has 1 to 255 characters, none of them invisible, and no space at its ends'
        );
    end if;

    -- Of two first calls at once, the second waits for the identity, and then finds the account of the first.
    account_id := credits.new_account_id(p_subject);
    insert into credits.accounts (account_id) values (enter.account_id);
    begin
        v_before := credits.bound_wait();
        insert into credits.identities (subject, account_id) values (p_subject, enter.account_id)
        on conflict do nothing;
        opened := found;
        perform set_config('lock_timeout', v_before, true);
    exception
        when lock_not_available then
            perform credits.refuse_busy('this user');
    end;
    if not opened then
        delete from credits.accounts as a where a.account_id = enter.account_id;
        select i.account_id into account_id from credits.identities as i where i.subject = p_subject;
        return;
    end if;
    insert into credits.wallets (account_id) values (enter.account_id);
end
$$;
comment on function credits.enter(text) is
'Opens the account of a user id with an empty wallet, or finds it. The caller welcomes a new account, at the moment '
'that the order of locks allows. Raises PT422 bad_user, PT503 busy.';

create or replace function credits.open_account(p_subject text)
returns uuid
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_entered constant record := credits.enter(p_subject);
begin
    if v_entered.opened is true then
        perform credits.welcome(v_entered.account_id);
    end if;
    return v_entered.account_id;
end
$$;
comment on function credits.open_account(text) is
'Opens the account of a user id, with what new accounts are given, or finds it. Raises PT422 bad_user, PT503 busy.';
