-- Charge what was held: the work is done. Finished work is never refused because something costs more than was held.
--
--   1. The hold says whose account it is: a user's own, or a service's call.
--   2. Lock the wallet. A hold that is past its time has been booked as expired by then.
--   3. Price what was really used, by the version of the price that the hold keeps. Nothing said: all that is held.
--   4. A repeat of an answered call gets that answer. A hold has one end: another call is refused.
--   5. Take it from what is held, first held first taken. Then from other lots, in burn order; spend limits do not stop
--      it. Then it is debt, up to the account's limit; and at last a shortfall, which no balance knows of.
--   6. Write the entry, the hold and the shortfall. What is left goes free, or stays held for the next part.
--
-- A hold that has expired can still be captured for 24 hours, once: nothing is held any more, so that all of it is a
-- fresh debit, at the price of the hold.
--
-- All of this is for services, which have done the work. Users capture their own holds as well, for 24 hours from when
-- they made them and while their account is active; what they take beyond them is refused where a spend would be: no
-- limit is passed, no debt and no shortfall is made.

create or replace function credits.capture(
    p_account_id uuid,
    p_hold_id uuid,
    p_user_id text,
    p_service boolean,
    p_usage jsonb,
    p_final boolean,
    p_over text,
    p_key text
)
returns api.capture_receipt
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_seq bigint;
    v_balance numeric;
    v_debt_before numeric;
    v_posted_at timestamptz;
    v_hash bytea;
    v_status text;
    v_head_lot bigint;
    v_head_held numeric;
    v_due_at timestamptz;
    v_test_clock timestamptz;
    v_now timestamptz;
    v_hold credits.holds;
    v_late boolean;
    v_known text;
    v_price record;
    v_cost numeric;
    v_usage jsonb;
    v_before jsonb;
    v_over text := p_over;
    v_own numeric;
    v_beyond boolean;
    v_back numeric := 0;
    v_left numeric := 0;
    v_unheld numeric;
    v_usage_left jsonb;
    v_in_head boolean := false;
    v_from_head numeric := 0;
    v_head_unheld numeric := 0;
    v_split record;
    v_drawn record;
    v_draws jsonb;
    v_rest jsonb;
    v_debt numeric := 0;
    v_shortfall numeric := 0;
    v_paid numeric;
begin
    if p_over is null or p_over not in ('debt', 'available', 'error') then
        perform credits.fail(422, 'bad_over', 'over is debt, available or error');
    elsif (pg_column_size(p_usage) > 2048) is true then
        perform credits.fail(422, 'bad_usage', 'usage is larger than 2 kB');
    end if;

    -- 2. Lock.
    loop
        select
            w.seq + 1, w.balance, w.debt, w.posted_at, w.head_hash, w.status, w.head_lot, w.head_held, w.due_at,
            w.test_clock
        into
            v_seq, v_balance, v_debt_before, v_posted_at, v_hash, v_status, v_head_lot, v_head_held, v_due_at,
            v_test_clock
        from credits.wallets as w
        where w.account_id = p_account_id
        for no key update;
        v_now := coalesce(v_test_clock, credits.clock());
        exit when (v_due_at > v_now and current_setting('synchronous_commit') not in ('off', 'local')) is true;
        perform credits.lock_to_end(p_account_id, v_due_at);
    end loop;
    select h.* into v_hold from credits.holds as h where h.account_id = p_account_id and h.hold_id = p_hold_id;
    if v_hold.by_service is null or (v_hold.by_service and p_service is not true) then
        perform credits.refuse_hold(v_hold.by_service);
    end if;
    v_late := v_hold.state = 'expired';

    -- 3. Price.
    if p_usage is null then
        v_cost := case when v_late then greatest(v_hold.tokens - v_hold.captured, 0) else v_hold.held end;
        v_usage := credits.usage_of_rest(v_hold.usage_left);
    else
        v_price := credits.price_usage(v_hold.module_id, p_usage, v_now, v_hold.price_id);
        v_cost := v_price.cost;
        v_usage := v_price.usage;
        -- The parts of one use cost together what the use costs: free quantities, tiers, minimums and whole units count once.
        if v_hold.seqs[1] is not null then
            v_before := credits.usage_sum(v_hold.usage, v_hold.usage_left, -1);
            v_price := credits.price_usage(
                v_hold.module_id, credits.usage_sum(v_usage, v_before, 1), v_now, v_hold.price_id
            );
            v_cost := v_price.cost;
            v_price := credits.price_usage(v_hold.module_id, v_before, v_now, v_hold.price_id);
            v_cost := v_cost - v_price.cost;
        end if;
    end if;
    v_cost := trim_scale(v_cost);
    -- What of it is held, and what becomes of the rest: free again, or still held.
    v_own := least(v_cost, v_hold.held);
    v_beyond := v_cost > v_own;
    if p_final then
        v_back := trim_scale(v_hold.held - v_own);
        v_unheld := v_hold.held;
        v_usage_left := v_hold.usage_left;
    else
        v_left := trim_scale(v_hold.held - v_own);
        v_unheld := v_own;
        v_usage_left := credits.usage_sum(v_hold.usage_left, v_usage, -1);
    end if;

    -- 4. Repeat? Closed?
    if p_key is not null then
        v_known := credits.claim_key(
            p_account_id, 'capture_hold', p_key,
            jsonb_build_array(p_hold_id, credits.spelled_usage(p_usage), p_final, p_over),
            concat_ws(':', v_seq, v_left, case when p_final then v_back end)
        );
        if v_known is not null then
            return credits.capture_receipt(v_hold, v_known, p_user_id);
        end if;
    end if;
    if v_hold.state <> 'open' then
        if not v_late or v_hold.late or v_now >= v_hold.expires_at + interval '24 hours' then
            perform credits.refuse_closed(v_hold.state);
        end if;
    end if;
    -- A user's own hold outlives neither freezing nor its 24 hours. What users take beyond it is a spend like any other:
    -- no service has done work that must be paid.
    if p_service is not true and (v_status <> 'active' or v_now >= v_hold.created_at + interval '24 hours') then
        perform credits.refuse_own_hold(v_hold.state, v_status);
    end if;
    if (v_cost = 0) is true then
        perform credits.check_free_part(v_hold, v_usage, p_final, v_now);
    end if;
    if v_beyond and p_service is not true then
        if v_debt_before > 0 and credits.in_default(p_account_id) then
            perform credits.refuse_tokens(
                v_balance, v_debt_before, v_hold.price_id, v_cost, v_cost - v_own
            );
        end if;
        perform credits.keep_limits(p_account_id, v_cost - v_own, v_now);
        v_over := 'error';
    end if;

    -- 5. Take. What is held in the head the entry's own update of the wallet takes; else the head is put back first.
    if not v_beyond then
        v_in_head := credits.is_held_in_head(v_hold.held, v_hold.draws, v_head_lot, v_head_held);
    end if;
    if v_in_head then
        v_draws := credits.draw_of(v_head_lot, v_own);
        v_head_unheld := v_unheld;
        if p_final then
            v_from_head := -v_back;
        else
            v_rest := credits.draw_of(v_head_lot, v_left);
        end if;
    else
        if v_head_held > 0 then
            perform credits.settle_head(p_account_id);
        end if;
        v_split := credits.unhold_lots(p_account_id, v_hold.draws, v_own, p_final);
        v_draws := v_split.taken;
        v_rest := v_split.rest;
    end if;
    if v_beyond then
        v_drawn := credits.draw_settled(p_account_id, v_hold.module_id, v_cost - v_own, v_now);
        v_draws := v_draws || v_drawn.draws;
        if (v_drawn.missing > 0 and v_over = 'error') is true then
            perform credits.refuse_tokens(
                v_balance, v_debt_before, v_hold.price_id, v_cost, v_drawn.missing
            );
        elsif (v_drawn.missing > 0 and v_over = 'debt') is true then
            select trim_scale(least(greatest(a.overdraft_limit - v_debt_before, 0), v_drawn.missing)) into v_debt
            from credits.accounts as a
            where a.account_id = p_account_id;
        end if;
        v_shortfall := trim_scale(v_drawn.missing - v_debt);
    end if;
    v_paid := trim_scale(v_cost - v_shortfall);

    -- 6. Write.
    v_balance := credits.post_entry(
        p_account_id, v_seq, v_balance, v_debt_before + v_debt, v_posted_at, v_hash, 'spend', -v_paid, v_draws,
        v_hold.module_id, v_usage, v_hold.price_id, p_hold_id || case when v_late then ':late' else '' end, v_hold.metadata,
        p_from_head => v_from_head, p_at => v_now, p_unheld => v_unheld, p_head_unheld => v_head_unheld
    );
    update credits.holds as h
    set
        state = case when p_final and not v_late then 'captured' else h.state end,
        held = v_left,
        captured = h.captured + v_paid,
        draws = case when p_final then '[]' else v_rest end,
        usage_left = v_usage_left,
        seqs = h.seqs || v_seq,
        late = v_late,
        actor = case when p_final or v_late then credits.actor() else h.actor end,
        finished_at = case when p_final or v_late then v_now end
    where h.account_id = p_account_id and h.hold_id = p_hold_id;
    if (v_shortfall > 0) is true then
        insert into credits.shortfalls (account_id, hold_id, entry_seq, tokens, created_at)
        values (p_account_id, p_hold_id, v_seq, v_shortfall, v_now);
        update credits.holds as h
        set shortfall = h.shortfall + v_shortfall
        where h.account_id = p_account_id and h.hold_id = p_hold_id;
    end if;
    if not v_in_head then
        if v_back > 0 then
            perform credits.tidy_after_release(p_account_id, v_now, v_rest);
        elsif v_beyond or v_head_held > 0 then
            perform credits.choose_head(p_account_id, v_now);
        end if;
    end if;
    return row(
        p_account_id || ':' || p_hold_id, p_account_id || ':' || v_seq, p_user_id, v_hold.module_id,
        case when p_final and not v_late then 'captured' else v_hold.state::text end, v_cost, v_paid, v_debt, v_shortfall,
        v_left, v_back, trim_scale(v_balance), v_draws, v_late, false, v_hold.price_source, 0::numeric
    );
end
$$;
comment on function credits.capture(uuid, uuid, text, boolean, jsonb, boolean, text, text) is
'The work of api.capture_hold, on an account.';

create or replace function credits.capture_receipt(p_hold credits.holds, p_reference text, p_user_id text)
returns api.capture_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_seq constant bigint := split_part(p_reference, ':', 1)::bigint;
    v_entry credits.entries;
    v_debt_before numeric;
    v_shortfall numeric;
    v_late boolean;
    -- What went back; null when it did not end the hold.
    v_released constant numeric := nullif(split_part(p_reference, ':', 3), '')::numeric;
begin
    select e.* into v_entry from credits.entries as e where e.account_id = p_hold.account_id and e.seq = v_seq;
    select e.debt_after into v_debt_before
    from credits.entries as e
    where e.account_id = p_hold.account_id and e.seq = v_seq - 1;
    select s.tokens into v_shortfall
    from credits.shortfalls as s
    where s.account_id = p_hold.account_id and s.entry_seq = v_seq;
    v_shortfall := coalesce(v_shortfall, 0);
    v_late := v_entry.reference like '%:late';
    return row(
        p_hold.account_id || ':' || p_hold.hold_id, p_hold.account_id || ':' || v_seq, p_user_id, p_hold.module_id,
        p_hold.state::text, trim_scale(v_shortfall - v_entry.tokens), trim_scale(-v_entry.tokens),
        trim_scale(v_entry.debt_after - coalesce(v_debt_before, 0)), trim_scale(v_shortfall), trim_scale(p_hold.held),
        trim_scale(coalesce(v_released, 0)),
        trim_scale(v_entry.balance_after), v_entry.draws, v_late, true, p_hold.price_source,
        credits.refunded_of(p_hold.account_id, v_seq)
    );
end
$$;
comment on function credits.capture_receipt(credits.holds, text, text) is
'The answer of an earlier capture, told again from its entry; state and held are those of the hold as it is now, and '
'refunded is what has been given back by now. '
'p_reference: its seq, what the hold kept then, and what went back if it ended the hold.';

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
    -- 1. Whose.
    v_found constant record := credits.find_hold(capture_hold.hold_id, capture_hold.user_id);
    v_before text;
    v_receipt api.capture_receipt;
begin
    -- Null is a quantity that got lost on its way: it must not charge all that is held.
    if capture_hold.usage is null then
        perform credits.fail(422, 'bad_usage', 'usage is an object: without it all that is held is charged');
    elsif capture_hold.final is null then
        perform credits.fail(422, 'bad_final', 'final is true or false: null must not end the hold');
    end if;
    -- No wait without an end: as in consume_tokens.
    if current_setting('lock_timeout') <> '2s' then
        v_before := credits.bound_wait();
    end if;
    v_receipt := credits.capture(
        v_found.account_id, v_found.hold_id, v_found.user_id, v_found.service, nullif(capture_hold.usage, '"held"'),
        capture_hold.final, capture_hold.over, capture_hold.idempotency_key
    );
    if v_before is not null then
        perform set_config('lock_timeout', v_before, true);
    end if;
    return v_receipt;
exception
    when lock_not_available then
        perform credits.refuse_busy();
        return null;
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
