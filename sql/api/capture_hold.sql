-- Charge for finished work from what was held. Finished work is never refused because it costs more than was held.
--
--   1. The hold names the account. A user may capture only their own holds; a service may capture any.
--   2. Lock the wallet. This also books a hold that is past its time as expired.
--   3. Answer a repeated call with the answer of the first.
--   4. Price what was really used, by the version of the price that the hold keeps. Without usage, charge all that is
--      held. A hold ends only once: any other call after that is refused.
--   5. credits.charge_hold takes the cost from the held tokens, and the rest from other lots, in burn order. What they
--      do not pay becomes debt, up to the account's limit, and beyond that a shortfall, which is not part of any
--      balance. It writes the entry, the wallet and the hold. Held tokens that are left become free, or stay held for
--      the next part.
--
-- A hold that has expired can still be captured once, for 24 hours. Nothing is held any more, so all of the cost is a
-- fresh debit, at the price of the hold.
--
-- All of this is for services, which have done the work. Users can capture their own holds too, while their account is
-- active, for 24 hours after they made them. What a user takes beyond a hold is refused where a spend would be: it
-- passes no limit, and makes no debt and no shortfall.
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

    -- 3. Repeat?
    if idempotency_key is not null then
        insert into credits.idempotency_keys (account_id, operation, key, entry_seq, made_id, options, created_at)
        values (
            v_hold.account_id, 'capture_hold', idempotency_key, v_wallet.seq + 1, v_hold.hold_id,
            case
                when v_usage is null or not final or over <> 'debt' then credits.capture_options(v_usage, final, over)
            end, credits.clock()
        )
        on conflict do nothing;
        if not found then
            return credits.capture_again(v_hold, v_usage, final, over, idempotency_key, v_found.user_id);
        end if;
    elsif credits.header_key('capture_hold') is not null then
        return api.capture_hold(hold_id, usage, final, over, credits.header_key('capture_hold'), user_id);
    end if;

    -- 4. Price. Closed?
    v_part := credits.price_part(v_hold, v_usage, final, v_now);
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
'Charge a hold for what was really used, at the price at which the hold was made. The default of usage, "held", charges
all that is held. Null is refused.

If the use costs less than is held, the rest goes back. If it costs more than the lots can pay, over says what happens:
debt (up to the account''s overdraft limit, then a shortfall), available (a shortfall at once) or error (nothing is done).
With final: false the call charges a part and keeps the rest held, for streaming. A hold that has expired can be captured
once, for 24 hours, by a fresh debit (late: true). Neither a frozen account nor a spend limit stops a service''s capture.

A user can capture their own hold only while the account is active, and only for 24 hours after it was made, late or not.
What a user takes beyond the hold is refused where a spend would be, whatever over says.
The parts of a use cost together what the whole use costs. A part may cost 0 when the parts before it have paid for its
unit. A user''s use that costs nothing as a whole is refused, and so is a part that uses nothing.

With an idempotency_key, a repeat of the same call gets the same answer with replayed: true. But state and held are those
of the hold as it is now, and refunded says how much of the charge has been given back by now.
Raises PT404 unknown_hold, PT409 hold_closed (state) or key_reused, PT402 insufficient_tokens (over: error, or a user),
PT422 bad_usage, bad_final, bad_over or bad_key, PT423 account_frozen (a user), PT429 spend_limit (a user''s, beyond the hold)
or unpaid_limit (a user, of a free module or of too many parts that cost nothing), PT403 not_yours, PT401 not_signed_in,
PT422 bad_isolation.';
