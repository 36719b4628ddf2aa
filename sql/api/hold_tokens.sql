-- Hold tokens for work whose cost is known when it ends: the first of two phases. Then capture_hold, or release_hold.
--
--   1. Find the caller's account; a service names the user.
--   2. Lock the wallet. What is past its time is booked first.
--   3. A repeat of an answered call gets that answer, with the state that the hold is in by now.
--   4. Price the worst case in the database. The hold keeps this version of the price.
--   5. Keep to the spend limits: what is held counts as spent. Hold the tokens in their lots, in burn order: all or
--      nothing.
--   6. Write the hold. No entry: nothing has been charged.

create or replace function credits.hold(
    p_account_id uuid,
    p_user_id text,
    p_module_id text,
    p_usage jsonb,
    p_ttl interval,
    p_key text,
    p_metadata jsonb
)
returns api.hold_receipt
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_hold_id constant uuid := gen_random_uuid();
    v_ttl constant numeric := credits.check_ttl(p_ttl);
    v_service constant boolean := credits.is_spender();
    v_balance numeric;
    v_held numeric;
    v_debt numeric;
    v_status text;
    v_head_lot bigint;
    v_head_free numeric;
    v_head_keeps boolean;
    v_due_at timestamptz;
    v_test_clock timestamptz;
    v_unpaid_until timestamptz;
    v_now timestamptz;
    v_expires_at timestamptz;
    v_known text;
    v_price record;
    v_drawn record;
    v_draws jsonb;
    v_receipt api.hold_receipt;
begin
    if p_metadata is distinct from '{}' then
        perform credits.check_metadata(p_metadata);
    end if;
    if (pg_column_size(p_usage) > 2048) is true then
        perform credits.fail(422, 'bad_usage', 'usage is larger than 2 kB');
    end if;

    -- 2. Lock, as a spend does. The head lot stays where it is.
    loop
        select w.balance, w.held, w.debt, w.status, w.head_lot, w.head_free, w.head_keeps, w.due_at, w.test_clock,
            w.unpaid_until
        into v_balance, v_held, v_debt, v_status, v_head_lot, v_head_free, v_head_keeps, v_due_at, v_test_clock,
            v_unpaid_until
        from credits.wallets as w
        where w.account_id = p_account_id
        for no key update;
        v_now := coalesce(v_test_clock, credits.clock());
        exit when (v_due_at > v_now and current_setting('synchronous_commit') not in ('off', 'local')) is true;
        perform credits.lock_wallet(p_account_id, p_settle => false);
    end loop;
    v_expires_at := v_now + make_interval(secs => v_ttl);

    -- 3. Repeat?
    if p_key is not null then
        v_known := credits.claim_key(
            p_account_id, 'hold_tokens', p_key,
            -- Also whose it is to end: else a user who knows a service's key makes the hold first, and lets go of it.
            jsonb_build_array(p_module_id, credits.spelled_usage(p_usage), v_ttl, p_metadata, v_service),
            v_hold_id::text
        );
        if v_known is not null then
            return credits.hold_again(p_account_id, v_known::uuid, p_user_id);
        end if;
    end if;
    if v_status <> 'active' then
        perform credits.fail(423, 'account_frozen', 'this account is ' || v_status);
    end if;

    -- 4. Price.
    v_price := credits.price_usage(p_module_id, p_usage, v_now);
    -- A wallet on which nothing is held has no open holds but those of nothing: most calls need not count them.
    if v_held > 0 or v_price.cost = 0 then
        perform credits.keep_holds_few(p_account_id, v_service);
    end if;
    -- Only of a user who has made something without paying lately.
    if v_unpaid_until > v_now and not v_service then
        perform credits.keep_unpaid_few(p_account_id, v_now, p_holds => true);
    end if;
    if (v_price.cost = 0) is true then
        perform credits.check_free_use(v_price.price_id);
        -- Its capture would be refused.
        if not v_service then
            perform credits.keep_unpaid_few(p_account_id, v_now, p_holds => false);
        end if;
    end if;

    -- 5. Hold. In the head there is nothing to look at, as for a spend; tokens that it does not keep go back to the lot's
    --    row, held. Else the limits and the lots themselves. Debt is asked for in two steps, as in a spend.
    if v_debt > 0 then
        if v_price.cost > 0 and credits.in_default(p_account_id) then
            perform credits.refuse_tokens(v_balance, v_debt, v_price.price_id, v_price.cost, v_price.cost);
        end if;
    end if;
    if v_price.cost <= v_head_free and v_price.cost > 0 then
        v_draws := jsonb_build_array(
            jsonb_build_object('lot_id', v_head_lot, 'tokens', trim_scale(v_price.cost))
        );
        if not v_head_keeps then
            update credits.lots as l
            set remaining = l.remaining + v_price.cost, held = l.held + v_price.cost, live = true
            where l.account_id = p_account_id and l.lot_id = v_head_lot;
        end if;
        update credits.wallets as w
        set
            head_free = w.head_free - v_price.cost, held = w.held + v_price.cost,
            head_held = w.head_held + case when v_head_keeps then v_price.cost else 0 end,
            due_at = least(w.due_at, v_expires_at)
        where w.account_id = p_account_id;
    else
        v_draws := '[]';
        perform credits.keep_limits(p_account_id, v_price.cost, v_now);
        if v_price.cost > 0 then
            perform credits.settle_head(p_account_id);
            v_drawn := credits.draw_lots(p_account_id, p_module_id, v_price.cost, v_now, p_hold => true);
            if v_drawn.missing > 0 then
                perform credits.refuse_tokens(
                    v_balance, v_debt, v_price.price_id, v_price.cost, v_drawn.missing
                );
            end if;
            v_draws := v_drawn.draws;
        end if;
        update credits.wallets as w
        set held = w.held + v_price.cost, due_at = least(w.due_at, v_expires_at)
        where w.account_id = p_account_id;
        if v_price.cost > 0 then
            perform credits.write_notices(p_account_id, v_balance + v_price.cost, v_balance);
            perform credits.choose_head(p_account_id, v_now);
        end if;
    end if;

    -- 6. Write. Who it was is not kept in the answer: a person can be forgotten.
    v_receipt := row(
        p_account_id || ':' || v_hold_id, null, p_module_id, 'open', trim_scale(v_price.cost),
        trim_scale(v_balance),
        trim_scale(greatest(v_balance - v_held - v_price.cost, 0)), v_draws, v_expires_at, false, v_price.price_source
    );
    insert into credits.holds (
        account_id, hold_id, module_id, price_id, price_source, usage, usage_left, tokens, held, draws, by_service, actor,
        metadata, answer, created_at, expires_at
    )
    values (
        p_account_id, v_hold_id, p_module_id, v_price.price_id, v_price.price_source, v_price.usage, v_price.usage,
        v_price.cost, v_price.cost, v_draws, v_service, credits.actor(), p_metadata,
        case when p_key is not null then to_jsonb(v_receipt) end,
        v_now, v_expires_at
    );
    v_receipt.user_id := p_user_id;
    return v_receipt;
end
$$;
comment on function credits.hold(uuid, text, text, jsonb, interval, text, jsonb) is
'The work of api.hold_tokens, on an account.';

create or replace function credits.hold_again(p_account_id uuid, p_hold_id uuid, p_user_id text)
returns api.hold_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_receipt api.hold_receipt;
begin
    -- Whoever repeats a call is about to do the work: they must see that the hold has ended meanwhile.
    select r.* into v_receipt
    from credits.holds as h
    cross join
        lateral jsonb_populate_record(
            null::api.hold_receipt,
            h.answer || jsonb_build_object(
                'state', h.state, 'held', trim_scale(h.held), 'expires_at', credits.utc_text(h.expires_at)
            )
        ) as r
    where h.account_id = p_account_id and h.hold_id = p_hold_id;
    v_receipt.user_id := p_user_id;
    v_receipt.replayed := true;
    return v_receipt;
end
$$;
comment on function credits.hold_again(uuid, uuid, text) is
'The answer of an earlier hold, told again: balance, available and draws as they were then; state, held and expires_at '
'as they are now. The wallet is locked, so that an expired hold has been booked.';

create or replace function api.hold_tokens(
    module_id text,
    usage jsonb default '{}',
    ttl interval default '15 minutes',
    idempotency_key text default null,
    user_id text default null,
    metadata jsonb default '{}'
)
returns api.hold_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- 1. Who.
    v_subject constant text := credits.caller_subject(hold_tokens.user_id, 'spender');
    v_before text;
    v_receipt api.hold_receipt;
begin
    -- No wait without an end: as in consume_tokens.
    if current_setting('lock_timeout') <> '2s' then
        v_before := credits.bound_wait();
    end if;
    v_receipt := credits.hold(
        credits.account_of(v_subject, false), v_subject, hold_tokens.module_id, hold_tokens.usage, hold_tokens.ttl,
        hold_tokens.idempotency_key, hold_tokens.metadata
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
comment on function api.hold_tokens(text, jsonb, interval, text, text, jsonb) is
'Hold tokens for a use of a module: priced now, at the worst case that usage names, and charged by capture_hold when the
work is done. release_hold lets them go; so does the time: after ttl (at most 24 hours) the hold counts for nothing.

The hold keeps the version of the price and the lots, whatever becomes of them meanwhile.
With an idempotency_key (1 to 200 characters) a repeat of the same call gets the same answer, replayed: true, but state,
held and expires_at are those of the hold as it is now: work only while it is open.
A user holds their own tokens; a service names the user_id, and what it holds only a service captures or releases.
A user makes no hold while their account has 100 open ones; a service makes none while services have made 100 of them. The
operator can set another number. Of a user''s own holds 1000 an hour may
end with nothing charged, unless the operator says otherwise (credits.bound_unpaid).
Raises PT402 insufficient_tokens (balance, available, cost, missing, affordable, debt), PT404 unknown_module or unknown_user,
PT409 key_reused, PT422 bad_usage, bad_ttl, bad_key, bad_user or bad_metadata, PT423 account_frozen, PT429 spend_limit,
too_many_holds (limit) or unpaid_limit (a user: limit, reset_at), PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
