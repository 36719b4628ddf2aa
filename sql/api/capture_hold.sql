-- Charge what was held: the work is done. Finished work is never refused because something costs more than was held.
--
--   1. The hold says whose account it is: a user's own, or a service's call.
--   2. Lock the wallet. A hold that is past its time has been booked as expired by then.
--   3. Price what was really used, by the version of the price that the hold keeps. Nothing said: all that is held.
--   4. Answer a repeated call with the answer of the first. A hold has one end: another call is refused.
--   5. credits.charge_hold takes it from what is held, and what it costs beyond that from other lots, in burn order;
--      then it is debt, up to the account's limit; and at last a shortfall, which no balance knows of. It writes the
--      entry, the wallet and the hold. What is left goes free, or stays held for the next part.
--
-- A hold that has expired can still be captured for 24 hours, once: nothing is held any more, so that all of it is a
-- fresh debit, at the price of the hold.
--
-- All of this is for services, which have done the work. Users capture their own holds as well, for 24 hours from when
-- they made them and while their account is active; what they take beyond them is refused where a spend would be: no
-- limit is passed, no debt and no shortfall is made.
create or replace function api.capture_hold(
    hold_id text,
    usage jsonb default '"held"',
    final boolean default true,
    over text default 'debt',
    idempotency_key text default null,
    user_id text default null
)
returns api.capture_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_usage constant jsonb := nullif(usage, '"held"');
    -- 1. Whose.
    v_found constant record := credits.find_hold(hold_id, user_id);
    v_wallet credits.wallets;
    v_now timestamptz;
    v_hold credits.holds;
    v_part record;
begin
    if usage is null or final is null or (over in ('debt', 'available', 'error')) is not true or (
        pg_column_size(usage) > 2048 or length(idempotency_key) > 200 or idempotency_key !~ '^[!-~]+$'
    ) is true then
        perform credits.check_capture_arguments(usage, final, over, idempotency_key);
    end if;

    -- 2. Lock.
    loop
        select w.* into v_wallet from credits.wallets as w where w.account_id = v_found.account_id
        for no key update skip locked;
        if not found then
            return credits.wait_to_capture(v_found.account_id, hold_id, usage, final, over, idempotency_key, user_id);
        end if;
        v_now := coalesce(v_wallet.test_clock, credits.clock());
        exit when v_wallet.due_at > v_now and current_setting('synchronous_commit') not in ('off', 'local');
        perform credits.lock_wallet(v_found.account_id);
    end loop;
    select h.* into v_hold from credits.holds as h where h.account_id = v_found.account_id and h.hold_id = v_found.hold_id;
    if v_hold.by_service is null or (v_hold.by_service and v_found.service is not true) then
        perform credits.refuse_hold(v_hold.by_service);
    end if;

    -- 3. Price.
    v_part := credits.price_part(v_hold, v_usage, final, v_now);

    -- 4. Repeat? Closed?
    if idempotency_key is not null then
        insert into credits.idempotency_keys (account_id, operation, key, fingerprint, entry_seq, made_id, facts, created_at)
        values (
            v_hold.account_id, 'capture_hold', idempotency_key,
            credits.fingerprint(jsonb_build_array(v_hold.hold_id, credits.spelled_usage(v_usage), final, over)),
            v_wallet.seq + 1, v_hold.hold_id,
            case when v_part.released > 0 then jsonb_build_object('released', v_part.released) end, credits.clock()
        )
        on conflict do nothing;
        if not found then
            return credits.capture_again(v_hold, v_usage, final, over, idempotency_key, v_found.user_id);
        end if;
    end if;
    if (v_hold.state = 'open' and v_part.cost <> 0 and v_found.service) is not true then
        perform credits.check_capture(v_hold, v_part.cost, v_part.usage, final, v_wallet.status, v_now);
    end if;

    -- 5. Charge.
    return credits.charge_hold(
        v_wallet, v_hold, v_part.cost, v_part.usage, v_part.own, v_part.released, final, over, v_now, v_found.user_id
    );
end
$$;
comment on function api.capture_hold(text, jsonb, boolean, text, text, text) is
'Charge a hold for what was really used, at the price that it was made at; without usage, for all that it holds.
The default of usage, "held", says so too; null is refused.

Less than is held: the rest goes back. More: over says what pays it beyond the lots: debt (up to the account''s overdraft
limit, then a shortfall), available (a shortfall at once), error (then nothing is done). final: false charges a part and
keeps the rest held, for streaming. For 24 hours after it has expired a hold can be captured once, by a fresh debit,
late: true. Neither a frozen account nor a spend limit stops a service''s capture. A user captures their own hold only
while the account is active and for 24 hours from when it was made, late or not; what they take beyond it is refused
where a spend would be, whatever over says. The parts of a use cost together what the use costs: one may cost 0, when those
before it have paid its unit. A user''s use that costs nothing as a whole is refused, and so is a part that uses nothing.
With an idempotency_key a repeat of the same call gets the same answer, replayed: true, but state and held are those of
the hold as it is now, and refunded says what of the charge has been given back by then.
Raises PT404 unknown_hold, PT409 hold_closed (state) or key_reused, PT402 insufficient_tokens (over: error, or a user),
PT422 bad_usage, bad_final, bad_over or bad_key, PT423 account_frozen (a user), PT429 spend_limit (a user''s, beyond the hold)
or unpaid_limit (a user, of a free module or of too many parts that cost nothing), PT403 not_yours, PT401 not_signed_in,
PT422 bad_isolation.';
