-- One call of a module, at a price that the client names. The price is only compared. This is IAHome's POST
-- /api/user-tokens. The function has a name of its own. If IAHome's signature of consume_tokens had a fifth argument, a
-- call could mean either signature.
create or replace function api.consume_call(
    user_id text,
    module_id text,
    module_name text,
    tokens_to_consume numeric,
    idempotency_key text default null,
    tags jsonb default null
)
returns api.spend_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_cost constant numeric := trim_scale(credits.check_amount(consume_call.tokens_to_consume));
    v_receipt api.spend_receipt;
    v_state text;
    v_message text;
    v_detail text;
begin
    idempotency_key := coalesce(consume_call.idempotency_key, credits.header_key('consume_call'));
    begin
        v_receipt := api.consume_tokens(
            consume_call.module_id, '{}', consume_call.idempotency_key, consume_call.user_id,
            jsonb_strip_nulls(jsonb_build_object('module_name', left(consume_call.module_name, 200))),
            tags => consume_call.tags
        );
    exception
        when sqlstate 'PT402' or sqlstate 'PT429' then
            -- A wrong price is refused first, because the other refusals name the right one.
            get stacked diagnostics
                v_state = returned_sqlstate, v_message = message_text, v_detail = pg_exception_detail;
            perform credits.check_named_price((v_detail::jsonb -> 'cost')::numeric, v_cost);
            perform credits.fail(
                substr(v_state, 3)::integer, v_detail::jsonb ->> 'error', v_message, (v_detail::jsonb - 'error')::json
            );
    end;
    -- A refusal undoes the spend.
    if v_receipt.replayed is true and v_receipt.cost is distinct from v_cost then
        perform credits.refuse_key();
    end if;
    perform credits.check_named_price(v_receipt.cost, v_cost);
    return v_receipt;
end
$$;
comment on function api.consume_call(text, text, text, numeric, text, jsonb) is
'Spend tokens on one call of a module, naming the price.

With an idempotency_key (1 to 200 characters) a repeat of the same call gets the same answer with replayed: true. This
function and consume_tokens share their keys. Without a key, a repeat is another charge.
tags: as consume_tokens takes them.
Raises PT402 insufficient_tokens, PT404 unknown_module or unknown_user, PT409 key_reused, PT422 price_mismatch when
tokens_to_consume is not the price in the database, PT422 bad_amount, bad_key, bad_usage, bad_tags or bad_isolation,
PT423 account_frozen, PT429 spend_limit, PT403 not_yours, PT401 not_signed_in, PT503 busy.';
