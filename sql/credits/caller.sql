-- Whose account is this call about? A user's own; a service names the user.

create or replace function credits.refuse_caller(p_subject text, p_user_id text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_subject is null then
        perform credits.fail(401, 'not_signed_in', 'nobody is signed in');
    elsif (p_user_id <> p_subject) is true then
        perform credits.fail(403, 'not_yours', 'only a service may name another user');
    end if;
    perform credits.fail(
        422, 'bad_isolation', 'this transaction does not see what has changed since it began: use READ COMMITTED',
        json_build_object('isolation', current_setting('transaction_isolation'), 'required', 'read committed')
    );
end
$$;
comment on function credits.refuse_caller(text, text) is
'Raises PT401 not_signed_in, PT403 not_yours, or else PT422 bad_isolation.';

-- REPEATABLE READ and SERIALIZABLE show the prices, packs and limits of when the transaction began, perhaps hours ago.
-- Users who could spend or order by those would choose their price. A service is trusted to choose its own isolation.
create or replace function credits.caller_subject(p_user_id text, p_role text default 'service_role')
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject text;
begin
    -- The role that a session has set, or its login, is a member of p_role: no setting of a session makes it one.
    if pg_has_role(credits.actor(), p_role, 'member') then
        if p_user_id is null then
            perform credits.fail(422, 'bad_user', 'user_id is required: a service says whose tokens it means');
        end if;
        return p_user_id;
    end if;
    v_subject := credits.subject();
    -- One expression: each costs every spend.
    if (
        v_subject is null or p_user_id <> v_subject
        or current_setting('transaction_isolation') in ('repeatable read', 'serializable')
    ) is true then
        perform credits.refuse_caller(v_subject, p_user_id);
    end if;
    return v_subject;
end
$$;
comment on function credits.caller_subject(text, text) is
'The user id that a change is about: the caller''s own, or the one that a member of p_role names. p_role is spender '
'for what a backend that only charges may do for any user, service_role for the rest. '
'Raises PT401 not_signed_in, PT403 not_yours, PT422 bad_user, PT422 bad_isolation.';

create or replace function credits.reader_subject(p_user_id text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject text;
begin
    if credits.is_spender() then
        return credits.caller_subject(p_user_id, 'spender');
    end if;
    v_subject := credits.subject();
    if (v_subject is null or p_user_id <> v_subject) is true then
        perform credits.refuse_caller(v_subject, p_user_id);
    end if;
    return v_subject;
end
$$;
comment on function credits.reader_subject(text) is
'credits.caller_subject for what changes nothing: at any isolation level. '
'Raises PT401 not_signed_in, PT403 not_yours, PT422 bad_user.';

create or replace function credits.account_of(p_subject text, p_service_opens boolean)
returns uuid
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_account_id uuid;
begin
    select i.account_id into v_account_id from credits.identities as i where i.subject = p_subject;
    if v_account_id is null then
        if credits.is_spender() and not p_service_opens then
            perform credits.refuse_unknown_user();
        end if;
        v_account_id := credits.open_account(p_subject);
    end if;
    return v_account_id;
end
$$;
comment on function credits.account_of(text, boolean) is
'The account of a user id. A new one is opened by a user''s own call, and by a service''s if p_service_opens. '
'Raises PT404 unknown_user, PT422 bad_user.';
