-- One item of a batch that credits.spend_plain leaves. api.consume_tokens charges it.

create or replace function credits.is_item(p_item jsonb)
returns boolean
language sql
immutable
return case
    when jsonb_typeof(p_item) is distinct from 'object' then false
    -- A misspelt name must not charge for something else.
    when p_item - array['user_id', 'module_id', 'usage', 'idempotency_key', 'metadata', 'byok'] <> '{}' then false
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
        'an item has user_id, module_id, usage, idempotency_key, metadata, byok, and nothing else; user_id, module_id and '
        'idempotency_key are strings, byok is true or false'
    );
end
$$;
comment on function credits.check_item(jsonb) is
'Checks that credits.is_item is true of an item. Raises PT422 bad_items or bad_byok.';

create or replace function credits.spend_item(p_item jsonb, p_busy boolean)
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
    end if;
    return '{"ok": true}' || to_jsonb(api.consume_tokens(
        p_item ->> 'module_id', coalesce(p_item -> 'usage', '{}'), p_item ->> 'idempotency_key', p_item ->> 'user_id',
        coalesce(p_item -> 'metadata', '{}'), (p_item -> 'byok') is not distinct from 'true'
    ));
exception
    when sqlstate 'PT401' or sqlstate 'PT402' or sqlstate 'PT403' or sqlstate 'PT404' or sqlstate 'PT409' or sqlstate 'PT422'
        or sqlstate 'PT423' or sqlstate 'PT429' or sqlstate 'PT503' then
        get stacked diagnostics
            v_state = returned_sqlstate, v_message = message_text, v_detail = pg_exception_detail;
        return v_detail::jsonb || jsonb_build_object('ok', false, 'code', v_state, 'message', v_message);
end
$$;
comment on function credits.spend_item(jsonb, boolean) is
'The verdict on one item of a batch: the answer of api.consume_tokens, or the error that it raises. p_busy: another '
'transaction has locked the wallet.';
