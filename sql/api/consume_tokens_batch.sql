-- Spend tokens many times in one call: of many users, for many modules. Each item is what one consume_tokens would be,
-- with its own key and its own verdict; a bad one harms no other.
--
--   1. Who, and is it a batch?
--   2. Lock the wallets of all users in it, in the order of their accounts. Those that somebody else has are waited
--      for, but not long: then their items are refused as busy, and all others are served.
--   3. Charge: the plain items by one statement, the others one by one. See credits.spend_many.
--   4. Tell the users whose tokens did not pay. All or nothing, when that is asked: the first item that is refused
--      refuses the batch.
create or replace function api.consume_tokens_batch(
    items jsonb,
    atomic boolean default false
)
returns api.batch_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_account_ids uuid[];
    v_busy uuid[];
    v_now timestamptz;
    v_verdicts text[];
    v_refusals jsonb[];
    v_receipt api.batch_receipt;
    v_refused record;
begin
    -- 1. Who.
    if not credits.is_spender() then
        perform credits.fail(403, 'not_yours', 'only a service may send a batch');
    elsif jsonb_typeof(consume_tokens_batch.items) is distinct from 'array' then
        perform credits.fail(422, 'bad_items', 'items is an array');
    elsif jsonb_array_length(consume_tokens_batch.items) not between 1 and 1000 then
        perform credits.fail(422, 'bad_items', 'items has 1 to 1000 items');
    elsif consume_tokens_batch.atomic is null then
        perform credits.fail(422, 'bad_items', 'atomic is true or false: null must not charge a part of the batch');
    end if;

    -- 2. Lock. 3. Charge.
    v_account_ids := array(
        select (select i.account_id from credits.identities as i where i.subject = x.item ->> 'user_id')
        from jsonb_array_elements(consume_tokens_batch.items) with ordinality as x (item, place)
        order by x.place
    );
    begin
        -- Most of the time all of them are free. In one subtransaction with what is written, see consume_tokens.
        v_now := credits.lock_to_spend(v_account_ids);
        select m.verdicts, m.refusals into v_verdicts, v_refusals
        from credits.spend_many(consume_tokens_batch.items, v_account_ids, v_now) as m;
    exception
        when lock_not_available then null;
    end;
    if v_verdicts is null then
        v_busy := credits.lock_those_free(v_account_ids);
        v_now := credits.lock_to_spend(array(
            select a.account_id from unnest(v_account_ids) as a (account_id) where (a.account_id <> all (v_busy)) is true
        ));
        select m.verdicts, m.refusals into v_verdicts, v_refusals
        from credits.spend_many(consume_tokens_batch.items, v_account_ids, v_now, v_busy) as m;
    end if;
    v_receipt.refused := cardinality(array_remove(v_refusals, null));
    v_receipt.accepted := cardinality(v_verdicts) - v_receipt.refused;
    v_receipt.verdicts := ('[' || array_to_string(v_verdicts, ', ') || ']')::json;

    -- 4. Tell whose tokens did not pay. All or nothing?
    perform credits.tell_refused(v_account_ids, v_refusals);
    if (consume_tokens_batch.atomic and v_receipt.refused > 0) is true then
        select x.verdict, x.place - 1 as index into v_refused
        from unnest(v_refusals) with ordinality as x (verdict, place)
        where x.verdict is not null
        order by x.place
        limit 1;
        perform credits.fail(
            substr(v_refused.verdict ->> 'code', 3)::integer, v_refused.verdict ->> 'error',
            format('item %s: %s', v_refused.index, v_refused.verdict ->> 'message'),
            (
                v_refused.verdict - array['ok', 'code', 'error', 'message']
                || jsonb_build_object('index', v_refused.index)
            )::json
        );
    end if;
    return v_receipt;
end
$$;
comment on function api.consume_tokens_batch(jsonb, boolean) is
'Spend tokens many times in one call. For services and spenders.

items: 1 to 1000 of {"user_id", "module_id", "usage", "idempotency_key", "metadata", "byok"}, each as consume_tokens has
it. Each is charged or refused by itself, in this order; verdicts says how, in this order too. {"ok": true, …} has what
consume_tokens answers, {"ok": false, "code": "PT402", "error": "insufficient_tokens", "message", …} what it raises.
The items of a user whose wallet another transaction has for too long are refused with PT503 busy, and may be sent again.
A key is the same key in consume_tokens and here: whichever comes second gets the first one''s answer.
atomic: if any item is refused nothing is charged, and the call is refused as the first such item is, with its index
(from 0) beside the facts.

Raises PT422 bad_items, PT403 not_yours.';
