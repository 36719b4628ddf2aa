-- Spend tokens many times in one call, for many users and modules. Each item is like one call of consume_tokens, with
-- its own key and its own verdict. A bad item does not affect the others.
--
--   1. Check the caller and the shape of the batch.
--   2. Lock the wallets of all its users, in the order of their accounts. Wait for wallets that other transactions have
--      locked, but not long. The items of wallets that stay locked are refused as busy, and all others are served.
--   3. Charge: the plain items by one statement, the others one by one. See credits.spend_many.
--   4. Write notices for the users whose tokens did not pay. If the batch is atomic, the first refused item refuses the
--      whole batch.
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
    -- 1. Check.
    if not credits.is_spender() then
        perform credits.fail(403, 'not_yours', 'only a service may send a batch');
    elsif jsonb_typeof(consume_tokens_batch.items) is distinct from 'array' then
        perform credits.fail(422, 'bad_items', 'items must be an array');
    elsif jsonb_array_length(consume_tokens_batch.items) not between 1 and 1000 then
        perform credits.fail(422, 'bad_items', 'items must have 1 to 1000 items');
    elsif consume_tokens_batch.atomic is null then
        perform credits.fail(422, 'bad_items', 'atomic must be true or false, not null');
    end if;

    -- 2. Lock. 3. Charge.
    v_account_ids := array(
        select (select i.account_id from credits.identities as i where i.subject = x.item ->> 'user_id')
        from jsonb_array_elements(consume_tokens_batch.items) with ordinality as x (item, place)
        order by x.place
    );
    begin
        -- Most of the time all wallets are free. One subtransaction takes the locks and writes: see
        -- credits.wait_to_spend.
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
        ), p_wait => null);
        select m.verdicts, m.refusals into v_verdicts, v_refusals
        from credits.spend_many(consume_tokens_batch.items, v_account_ids, v_now, v_busy) as m;
    end if;
    v_receipt.refused := cardinality(array_remove(v_refusals, null));
    v_receipt.accepted := cardinality(v_verdicts) - v_receipt.refused;
    v_receipt.verdicts := ('[' || array_to_string(v_verdicts, ', ') || ']')::json;

    -- 4. Write notices. All or nothing?
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

items: 1 to 1000 of {"user_id", "module_id", "usage", "idempotency_key", "metadata", "byok", "tags"}, each with the
meaning of consume_tokens. The items are charged or refused one by one, in this order, and verdicts has one verdict
for each. {"ok": true, …} has the answer of consume_tokens; {"ok": false, "code": "PT402", "error": "insufficient_tokens",
"message", …} has the error that it raises. If another transaction has a user''s wallet for too long, the items of
that user are refused with PT503 busy, and may be sent again. This function and consume_tokens share their keys: the
second call with a key gets the answer of the first. atomic: if any item is refused, nothing is charged, and the call
raises the error of the first refused item, with its index (from 0) among the facts.

Raises PT422 bad_items, PT403 not_yours.';
