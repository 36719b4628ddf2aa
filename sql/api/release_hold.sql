-- Let go of what is held: the work failed, or will not be done. Nothing is charged for it.
create or replace function api.release_hold(
    hold_id text,
    reason text default null,
    idempotency_key text default null,
    user_id text default null
)
returns api.release_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- 1. Whose.
    v_found constant record := credits.find_hold(release_hold.hold_id, release_hold.user_id);
    v_wallet credits.wallets;
    v_now timestamptz;
    v_hold credits.holds;
    v_ended credits.holds;
    v_in_head boolean;
    v_known text;
    v_balance numeric;
    v_replayed boolean;
begin
    if (length(release_hold.reason) > 200) is true then
        perform credits.fail(422, 'bad_reason', 'reason has at most 200 characters');
    end if;

    -- 2. Lock. Repeat? Closed? Who releases again without a key gets the same answer.
    v_hold := credits.lock_hold(v_found.account_id, v_found.hold_id, v_found.service);
    select w.* into strict v_wallet from credits.wallets as w where w.account_id = v_found.account_id;
    v_now := coalesce(v_wallet.test_clock, credits.clock());
    if release_hold.idempotency_key is not null then
        v_known := credits.claim_key(
            v_found.account_id, 'release_hold', release_hold.idempotency_key,
            jsonb_build_array(v_found.hold_id, release_hold.reason), v_found.hold_id::text
        );
    end if;
    v_replayed := v_known is not null or v_hold.state = 'released';
    if v_replayed is not true then
        if v_hold.state is distinct from 'open' then
            perform credits.refuse_closed(v_hold.state);
        end if;

        -- 3. Back it goes. A hold of which parts were captured ends as captured. First of all it has ended: time goes
        --    on, and what tidies up must not find it open, past its time, and let go of it once more.
        update credits.holds as h
        set
            state = case when cardinality(h.seqs) > 0 then 'captured' else 'released' end,
            held = 0, draws = '[]', reason = release_hold.reason, actor = credits.actor(), finished_at = v_now,
            failed = coalesce(release_hold.reason ~* '^(failed|error|timeout)', false)
        where h.account_id = v_found.account_id and h.hold_id = v_found.hold_id
        returning h.* into v_ended;
        v_in_head := credits.is_held_in_head(
            v_hold.held, v_hold.draws, v_wallet.head_lot, v_wallet.head_held
        );
        if not v_in_head then
            if v_wallet.head_held > 0 then
                perform credits.settle_head(v_found.account_id);
            end if;
            perform credits.unhold_lots(v_found.account_id, v_hold.draws, 0, true);
        end if;
        update credits.wallets as w
        set
            held = w.held - v_hold.held,
            head_free = w.head_free + case when v_in_head then v_hold.held else 0 end,
            head_held = w.head_held - case when v_in_head then v_hold.held else 0 end
        where w.account_id = v_found.account_id
        returning w.balance into v_balance;
        if not v_in_head then
            perform credits.write_notices(v_found.account_id, v_balance - v_hold.held, v_balance);
            perform credits.tidy_after_release(v_found.account_id, v_now, v_hold.draws);
        end if;
        v_hold := v_ended;
    end if;
    return row(
        v_found.account_id || ':' || v_found.hold_id, v_found.user_id, v_hold.module_id, v_hold.state::text,
        trim_scale(greatest(coalesce(v_hold.tokens - v_hold.captured, 0), 0)), trim_scale(v_hold.captured), v_replayed
    );
end
$$;
comment on function api.release_hold(text, text, text, text) is
'Let go of a hold: its tokens go back to their lots, and nothing is charged. Those of a lot that has expired meanwhile
expire now.

A reason (at most 200 characters) that begins with failed, error or timeout counts as a failure in the figures.
Parts captured before stay charged, and the hold ends as captured: releasing that again needs the key of the first time.
Releasing any other again gets the same answer.
Raises PT404 unknown_hold, PT409 hold_closed (state) or key_reused, PT422 bad_reason or bad_key, PT403 not_yours,
PT401 not_signed_in, PT422 bad_isolation.';
