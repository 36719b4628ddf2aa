-- Take tokens out of one lot, because they should not be there: granted by mistake, or paid back by other means.
create or replace function api.void_lot(
    lot_id text,
    tokens numeric default null,
    reason text default null,
    idempotency_key text default null
)
returns api.lot_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_lot credits.lots;
    v_seq bigint;
    v_known credits.idempotency_keys;
    v_free numeric;
    v_tokens numeric;
begin
    idempotency_key := coalesce(void_lot.idempotency_key, credits.header_key('void_lot'));
    -- 1. Refuse.
    perform credits.require_service('may void a lot');
    perform credits.check_reason(void_lot.reason);
    if void_lot.tokens is not null then
        perform credits.check_amount(void_lot.tokens);
    end if;

    -- 2. Lock. Is it a repeat?
    v_lot := credits.lock_lot(credits.find_lot(void_lot.lot_id));
    select w.seq + 1 into strict v_seq from credits.wallets as w where w.account_id = v_lot.account_id;
    if void_lot.idempotency_key is not null then
        v_known := credits.claim_key(
            v_lot.account_id, 'void_lot', void_lot.idempotency_key,
            jsonb_build_array(v_lot.lot_id, trim_scale(void_lot.tokens), void_lot.reason),
            v_seq
        );
        if v_known.account_id is not null then
            return credits.lot_receipt(v_lot.account_id, v_known.entry_seq, true);
        end if;
    end if;

    -- 3. How many? What a hold has is not touched: finished work is charged.
    v_free := v_lot.remaining - v_lot.held;
    v_tokens := coalesce(void_lot.tokens, v_free);
    if (v_tokens > 0 and v_tokens <= v_free) is not true then
        perform credits.fail(
            422, 'bad_amount', 'the lot has fewer free tokens', json_build_object('free', trim_scale(v_free))
        );
    end if;

    -- 4. Write.
    perform credits.book_adjustment(
        v_lot, -v_tokens, jsonb_build_object('voided', true, 'reason', void_lot.reason),
        v_lot.expires_at
    );
    return credits.lot_receipt(v_lot.account_id, v_seq, false);
end
$$;
comment on function api.void_lot(text, numeric, text, text) is
'Take tokens out of one lot. For operators. It is an entry of kind adjustment, with who did it and why, and
api.restore_lot undoes it.

lot_id: account:lot_id, which is the entry_id of the grant. tokens: how many; null, the default, means all that are
free. Tokens that a hold has stay with it.
With an idempotency_key a repeat of the same call gets the same answer.
Raises PT404 unknown_lot, PT409 key_reused, PT422 bad_amount (free), bad_reason or bad_key, PT403 not_yours, PT503
busy.';
