-- One item of a batch that credits.spend_plain leaves. api.consume_tokens charges it.

create or replace function credits.is_item(p_item jsonb)
returns boolean
language sql
immutable
return case
    when jsonb_typeof(p_item) is distinct from 'object' then false
    -- A misspelt name must not charge for something else.
    when p_item - array['user_id', 'module_id', 'usage', 'idempotency_key', 'metadata', 'byok', 'tags'] <> '{}'
        then false
    else (
        jsonb_typeof(p_item -> 'user_id') not in ('string', 'null')
        or jsonb_typeof(p_item -> 'module_id') not in ('string', 'null')
        or jsonb_typeof(p_item -> 'idempotency_key') not in ('string', 'null')
        or jsonb_typeof(p_item -> 'byok') <> 'boolean'
    ) is not true
end;
comment on function credits.is_item(jsonb) is
'Does an item of a batch have the names and types of the arguments of api.consume_tokens?';

create or replace function credits.check_item(p_item jsonb)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if credits.is_item(p_item) then
        return;
    elsif jsonb_typeof(p_item) is distinct from 'object' then
        perform credits.fail(422, 'bad_items', 'an item must be an object');
    elsif (p_item -> 'byok') is not distinct from 'null' then
        perform credits.refuse_byok();
    end if;
    perform credits.fail(
        422, 'bad_items',
        'an item has user_id, module_id, usage, idempotency_key, metadata, byok, tags, and nothing else; user_id, module_id '
        'and idempotency_key are strings, byok is true or false'
    );
end
$$;
comment on function credits.check_item(jsonb) is
'Checks that credits.is_item is true of an item. Raises PT422 bad_items or bad_byok.';

-- A batch has locked its wallets in order. It must not wait for one more, of an account that was opened since then.
create or replace function credits.refuse_newcomer(p_user_id text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (
        select from credits.identities as i where i.subject = credits.caller_subject(p_user_id, 'spender')
    ) then
        perform credits.refuse_busy();
    end if;
    perform credits.refuse_unknown_user();
end
$$;
comment on function credits.refuse_newcomer(text) is
'Refuses an item of a batch whose user had no account when the batch locked its wallets. Raises PT503 busy if the user '
'has one by now, else PT404 unknown_user, PT422 bad_user.';

create or replace function credits.spend_item(p_item jsonb, p_account_id uuid, p_busy boolean)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_state text;
    v_message text;
    v_detail text;
begin
    perform credits.check_item(p_item);
    if p_busy is true then
        perform credits.refuse_busy();
    elsif p_account_id is null then
        perform credits.refuse_newcomer(p_item ->> 'user_id');
    end if;
    return '{"ok": true}' || to_jsonb(api.consume_tokens(
        p_item ->> 'module_id', coalesce(p_item -> 'usage', '{}'), p_item ->> 'idempotency_key', p_item ->> 'user_id',
        coalesce(p_item -> 'metadata', '{}'), (p_item -> 'byok') is not distinct from 'true',
        nullif(p_item -> 'tags', 'null')
    ));
exception
    when sqlstate 'PT401' or sqlstate 'PT402' or sqlstate 'PT403' or sqlstate 'PT404' or sqlstate 'PT409' or sqlstate 'PT422'
        or sqlstate 'PT423' or sqlstate 'PT429' or sqlstate 'PT503' then
        get stacked diagnostics
            v_state = returned_sqlstate, v_message = message_text, v_detail = pg_exception_detail;
        return v_detail::jsonb || jsonb_build_object('ok', false, 'code', v_state, 'message', v_message);
end
$$;
comment on function credits.spend_item(jsonb, uuid, boolean) is
'The verdict on one item of a batch: the answer of api.consume_tokens, or the error that it raises. p_account_id: the '
'account, null for a user who had none when the batch locked its wallets. p_busy: another transaction has locked the '
'wallet.';
