-- Whose account a call is about. A user's call is about their own account; a service names the user.

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
'Refuses a caller. Raises PT401 not_signed_in, PT403 not_yours, or else PT422 bad_isolation.';

-- REPEATABLE READ and SERIALIZABLE show prices, packs and limits as they were when the transaction began, perhaps hours
-- ago. Users who could spend or order by these would choose their own price. A service is trusted to choose its
-- isolation.
create or replace function credits.caller_subject(p_user_id text, p_role text default 'service_role')
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject text;
begin
    -- The role that acts is a member of p_role. No setting of a session can make it one.
    if pg_has_role(credits.actor(), p_role, 'member') then
        if p_user_id is null then
            perform credits.fail(422, 'bad_user', 'user_id is required: a service must name the user');
        end if;
        return p_user_id;
    end if;
    v_subject := credits.subject();
    -- This is a single expression, because every expression costs time in every spend.
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
'for what a backend may do for any user that only charges, and service_role for everything else. Raises PT401 '
'not_signed_in, PT403 not_yours, PT422 bad_user, PT422 bad_isolation.';

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
'Like credits.caller_subject, for functions that change nothing: at any isolation level. '
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
'The account of a user id. A user''s own call opens a missing account, and a service''s call does if p_service_opens. '
'Raises PT404 unknown_user, PT422 bad_user.';
