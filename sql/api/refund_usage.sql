-- Undo a charge, whole or in part: the tokens go back to the lots that paid for it. Services only.
--
--   1. Find the charge. It is never changed: a refund is another entry.
--   2. Lock the wallet. A repeat of a call that was answered gets the same answer.
--   3. Check that all refunds of a charge together give back no more than it took.
--   4. Put the tokens back along the recorded draws. What was taken last goes back first. Debt was made last of all.
--      So the refund first lowers the debt that the account has now. What was repaid goes to the lots that repaid it.
--   5. Write the entry. It has the tags of the charge, so that the sums per tag are net. Tokens that go back into a lot
--      past its date expire at once, in an entry of their own. Tokens that go back into a lot whose money was returned
--      are taken, and end debt.
--
-- A refund counts for the spend limits of the day and month of the charge. Tokens spent today and refunded today may be
-- spent again today. The refund of an older charge does not let anybody spend more than today's limit.

create or replace function credits.refund_receipt(p_account_id uuid, p_seq bigint, p_replayed boolean)
returns api.refund_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_entry credits.entries;
    v_expired numeric;
begin
    select e.* into v_entry from credits.entries as e where e.account_id = p_account_id and e.seq = p_seq;
    -- What expired at once was dated at the moment of the refund. The date of its lot may have been changed since, and
    -- tokens whose money was returned did not expire, but ended debt.
    select coalesce(-sum(e.tokens), 0) into v_expired
    from credits.entries as e
    where
        e.account_id = p_account_id and e.seq > p_seq and e.seq < p_seq + 1000 and e.kind = 'expire'
        and e.effective_at = v_entry.posted_at;
    return row(
        p_account_id || ':' || p_seq,
        (
            select i.subject
            from credits.identities as i
            where i.account_id = p_account_id
            order by i.created_at, i.subject
            limit 1
        ),
        p_account_id || ':' || v_entry.refunds_seq, trim_scale(v_entry.tokens), trim_scale(v_expired),
        trim_scale(v_entry.balance_after - v_expired), v_entry.draws, p_replayed
    );
end
$$;
comment on function credits.refund_receipt(uuid, bigint, boolean) is 'The answer of a refund, read from its entry.';

create or replace function api.refund_usage(
    entry_id text,
    tokens numeric default 'Infinity',
    reason text default null,
    idempotency_key text default null
)
returns api.refund_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- Infinity means all that is left. Null is refused: a number that got lost on its way must not refund everything.
    v_named constant numeric := nullif(refund_usage.tokens, 'Infinity');
    v_charge credits.entries;
    v_lock record;
    v_wallet credits.wallets;
    v_known credits.idempotency_keys;
    v_entry credits.entries;
    v_at timestamptz;
    v_part record;
    v_back record;
begin
    idempotency_key := coalesce(refund_usage.idempotency_key, credits.header_key('refund_usage'));
    -- 1. Find.
    perform credits.require_service('may refund a charge');
    if refund_usage.tokens is null or v_named is not null then
        perform credits.check_amount(refund_usage.tokens);
    end if;
    perform credits.check_reason(refund_usage.reason);
    v_charge := credits.find_entry(refund_usage.entry_id);
    if (v_charge.kind = 'spend' and v_charge.tokens <> 0) is not true then
        perform credits.fail(
            409, 'not_refundable', 'this entry charged nothing',
            json_build_object('kind', v_charge.kind, 'tokens', trim_scale(v_charge.tokens))
        );
    end if;

    -- 2. Lock. Repeat? A frozen account gets refunds too, because the charge was made before.
    loop
        v_lock := credits.lock_wallet(v_charge.account_id);
        v_at := credits.clock(v_charge.account_id);
        exit when (select w.due_at > v_at from credits.wallets as w where w.account_id = v_charge.account_id) is true;
    end loop;
    if refund_usage.idempotency_key is not null then
        v_known := credits.claim_key(
            v_charge.account_id, 'refund_usage', refund_usage.idempotency_key,
            jsonb_build_array(v_charge.seq, trim_scale(v_named), refund_usage.reason), v_lock.seq + 1
        );
        if v_known.account_id is not null then
            return credits.refund_receipt(v_charge.account_id, v_known.entry_seq, true);
        end if;
    end if;
    if v_lock.status = 'closed' then
        perform credits.refuse_status(v_lock.status);
    end if;

    -- 3. How much? 4. Give back.
    v_part := credits.claim_refund(v_charge, v_named, v_lock.seq + 1);
    select w.* into strict v_wallet from credits.wallets as w where w.account_id = v_charge.account_id;
    v_back := credits.return_charge(v_charge, v_part.refunded, v_part.tokens, v_wallet.debt);

    -- 5. Write. The limits of periods that began after the charge never counted it.
    v_at := greatest(v_at, v_wallet.posted_at + interval '1 microsecond');
    v_entry := credits.next_entry(v_wallet, 'refund', v_part.tokens, v_back.draws, v_at);
    v_entry.debt_after := v_wallet.debt - v_back.from_debt;
    v_entry.module_id := v_charge.module_id;
    v_entry.price_id := v_charge.price_id;
    v_entry.refunds_seq := v_charge.seq;
    v_entry.tags := v_charge.tags;
    v_entry.metadata := jsonb_strip_nulls(jsonb_build_object('reason', refund_usage.reason));
    v_entry := credits.write_entry(v_entry, v_wallet.head_hash);
    update credits.wallets as w
    set
        seq = v_entry.seq, balance = v_entry.balance_after, debt = v_entry.debt_after, posted_at = v_entry.posted_at,
        head_hash = v_entry.hash, lifetime_spent = w.lifetime_spent - v_part.tokens
    where w.account_id = v_charge.account_id;
    update credits.spend_limits as s
    set spent_before = s.spent_before - v_part.tokens
    where s.account_id = v_charge.account_id and s.period_starts > v_charge.posted_at;
    perform credits.settle_debts(v_charge.account_id);
    perform credits.expire_lots(v_charge.account_id, v_at);
    perform credits.note_basis(v_charge.account_id);
    -- Count only what is left: tokens that expired at once did not change the balance.
    perform credits.write_notices(v_charge.account_id, v_wallet.balance, w.balance)
    from credits.wallets as w
    where w.account_id = v_charge.account_id;
    -- An empty lot may have tokens again, and then its date matters again.
    perform credits.set_due(v_charge.account_id);
    return credits.refund_receipt(v_charge.account_id, v_wallet.seq + 1, false);
end
$$;
comment on function api.refund_usage(text, numeric, text, text) is
'Undo a charge (an entry of kind spend), whole or in part. The tokens go back to the lots that paid for it. For
services.

If the charge made debt, that part comes first. It lowers the debt that the account has now. Where the debt was repaid,
the tokens go into the lots that repaid it. Then the lots that the charge took from get theirs back, last taken first. A
second refund goes on where the first one stopped.

tokens: how many. Infinity, the default, means all that is left of the charge. Null is refused. All refunds of a
charge together give back no more than it took.
Tokens that go back into a lot past its date expire at once: expired says how many. The reason has at most 200
characters.
A refund counts for the spend limits of the day and month of the charge, not for later ones.
With an idempotency_key a repeat of the same call gets the same answer, replayed: true.
Raises PT404 unknown_entry, PT409 already_refunded, not_refundable or key_reused, PT422 bad_amount (refundable),
bad_reason or bad_key, PT423 account_frozen when the account is closed, PT403 not_yours.';
