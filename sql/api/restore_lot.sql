-- Undo api.void_lot, whole or in part.
create or replace function api.restore_lot(
    entry_id text,
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
    v_void credits.entries;
    v_lot credits.lots;
    v_seq bigint;
    v_known credits.idempotency_keys;
    v_restored numeric;
    v_tokens numeric;
begin
    idempotency_key := coalesce(restore_lot.idempotency_key, credits.header_key('restore_lot'));
    -- 1. Refuse.
    perform credits.require_service('may restore a lot');
    perform credits.check_reason(restore_lot.reason);
    if restore_lot.tokens is not null then
        perform credits.check_amount(restore_lot.tokens);
    end if;
    v_void := credits.find_entry(restore_lot.entry_id);
    if (v_void.kind = 'adjustment' and v_void.metadata -> 'voided' = 'true') is not true then
        perform credits.fail(
            409, 'not_refundable', 'this entry voided nothing',
            json_build_object('kind', v_void.kind, 'tokens', trim_scale(v_void.tokens))
        );
    end if;

    -- 2. Lock. Is it a repeat?
    v_lot := credits.lock_lot(credits.find_lot(v_void.account_id || ':' || (v_void.metadata -> 'lot_id')));
    select w.seq + 1 into strict v_seq from credits.wallets as w where w.account_id = v_lot.account_id;
    if restore_lot.idempotency_key is not null then
        v_known := credits.claim_key(
            v_void.account_id, 'restore_lot', restore_lot.idempotency_key,
            jsonb_build_array(v_void.seq, trim_scale(restore_lot.tokens), restore_lot.reason),
            v_seq
        );
        if v_known.account_id is not null then
            return credits.lot_receipt(v_void.account_id, v_known.entry_seq, true);
        end if;
    end if;

    -- 3. How many? All that restore one void give back no more than it took.
    select coalesce(sum(e.tokens), 0) into v_restored
    from credits.entries as e
    where
        e.account_id = v_void.account_id and e.kind = 'adjustment'
        and e.metadata -> 'restores' = to_jsonb(v_void.seq);
    v_tokens := coalesce(restore_lot.tokens, -v_void.tokens - v_restored);
    if (v_tokens > 0 and v_tokens <= -v_void.tokens - v_restored) is not true then
        perform credits.fail(
            422, 'bad_amount', 'this is more than what is left of this void',
            json_build_object('restorable', trim_scale(-v_void.tokens - v_restored))
        );
    end if;

    -- 4. Write.
    perform credits.book_adjustment(
        v_lot, v_tokens,
        jsonb_build_object('restores', v_void.seq, 'reason', restore_lot.reason), v_lot.expires_at
    );
    return credits.lot_receipt(v_void.account_id, v_seq, false);
end
$$;
comment on function api.restore_lot(text, numeric, text, text) is
'Undo api.void_lot, whole or in part: the tokens go back into their lot. For operators. If the lot has expired since,
they expire at once, in an entry of their own.

entry_id: the entry of the void. tokens: how many; null, the default, means all that is left of it.
With an idempotency_key a repeat of the same call gets the same answer.
Raises PT404 unknown_entry, PT409 not_refundable or key_reused, PT422 bad_amount (restorable), bad_reason or bad_key,
PT403 not_yours, PT503 busy.';
