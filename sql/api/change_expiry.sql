-- Give a lot another date: longer, because of a dispute that was won or a complaint; or shorter.
create or replace function api.change_expiry(
    lot_id text,
    expires_at timestamptz,
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
    v_expires_at constant timestamptz := nullif(change_expiry.expires_at, 'infinity');
    v_lot credits.lots;
    v_seq bigint;
    v_known credits.idempotency_keys;
begin
    idempotency_key := coalesce(change_expiry.idempotency_key, credits.header_key('change_expiry'));
    -- 1. Refuse.
    perform credits.require_service('may change the expiry of a lot');
    perform credits.check_reason(change_expiry.reason);
    if change_expiry.expires_at is null then
        perform credits.fail(422, 'bad_expiry', 'expires_at must be a time; infinity means never');
    end if;

    -- 2. Lock. Is it a repeat?
    v_lot := credits.lock_lot(credits.find_lot(change_expiry.lot_id));
    select w.seq + 1 into strict v_seq from credits.wallets as w where w.account_id = v_lot.account_id;
    if change_expiry.idempotency_key is not null then
        v_known := credits.claim_key(
            v_lot.account_id, 'change_expiry', change_expiry.idempotency_key,
            jsonb_build_array(v_lot.lot_id, extract(epoch from v_expires_at), change_expiry.reason),
            v_seq
        );
        if v_known.account_id is not null then
            return credits.lot_receipt(v_lot.account_id, v_known.entry_seq, true);
        end if;
    end if;
    perform credits.check_expiry(v_expires_at, v_lot.account_id);

    -- 3. Write.
    perform credits.book_adjustment(
        v_lot, 0,
        jsonb_build_object(
            'expires_at', coalesce(credits.utc_text(v_expires_at), 'infinity'),
            'before', coalesce(credits.utc_text(v_lot.expires_at), 'infinity'),
            'reason', change_expiry.reason
        ),
        v_expires_at
    );
    return credits.lot_receipt(v_lot.account_id, v_seq, false);
end
$$;
comment on function api.change_expiry(text, timestamptz, text, text) is
'Change when a lot expires. For operators. It is an entry of kind adjustment over 0 tokens, with who did it, why, and
both dates. Tokens that have expired do not come back; tokens that come back later obey the new date.

lot_id: account:lot_id, which is the entry_id of the grant. expires_at: infinity means never (in
JSON, the text "infinity"); null is refused.
With an idempotency_key a repeat of the same call gets the same answer. Another call undoes it.
Raises PT404 unknown_lot, PT409 key_reused, PT422 bad_expiry, bad_reason or bad_key, PT403 not_yours, PT503 busy.';
