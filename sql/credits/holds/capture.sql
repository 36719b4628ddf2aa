-- The steps of api.capture_hold, each with a name.

create or replace function credits.check_capture_arguments(p_usage jsonb, p_final boolean, p_over text, p_key text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Null may be a quantity that got lost on its way. It must not charge all that is held.
    if p_usage is null then
        perform credits.fail(422, 'bad_usage', 'usage must be an object; leave it out to charge all that is held');
    elsif p_final is null then
        perform credits.fail(422, 'bad_final', 'final must be true or false, not null');
    elsif (p_over in ('debt', 'available', 'error')) is not true then
        perform credits.fail(422, 'bad_over', 'over must be debt, available or error');
    end if;
    perform credits.check_usage_size(p_usage);
    if p_key is not null then
        perform credits.check_key(p_key);
    end if;
end
$$;
comment on function credits.check_capture_arguments(jsonb, boolean, text, text) is
'Checks the arguments of a capture. Raises PT422 bad_usage, bad_final, bad_over or bad_key.';

-- The same as credits.wait_to_spend, for a capture.
create or replace function credits.wait_to_capture(
    p_account_id uuid,
    p_hold_id text,
    p_usage jsonb,
    p_final boolean,
    p_over text,
    p_key text,
    p_user_id text
)
returns api.capture_receipt
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before constant text := current_setting('lock_timeout');
    v_receipt api.capture_receipt;
begin
    perform credits.bound_wait();
    perform from credits.wallets as w where w.account_id = p_account_id for no key update;
    if not found then
        perform credits.refuse_hold();
    end if;
    v_receipt := api.capture_hold(p_hold_id, p_usage, p_final, p_over, p_key, p_user_id);
    perform set_config('lock_timeout', v_before, true);
    return v_receipt;
exception
    when lock_not_available then
        perform credits.refuse_busy();
        return null;
end
$$;
comment on function credits.wait_to_capture(uuid, text, jsonb, boolean, text, text, text) is
'Waits at most 4 seconds for a wallet that another transaction has locked, and then captures. Raises PT503 busy, '
'PT404 unknown_hold, and what api.capture_hold raises.';

create or replace function credits.price_part(
    p_hold credits.holds,
    p_usage jsonb,
    p_final boolean,
    p_at timestamptz,
    out cost numeric,
    out usage jsonb,
    out own numeric,
    out released numeric
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_price record;
    v_before jsonb;
begin
    if p_usage is null then
        -- A late capture: the hold keeps nothing any more.
        cost := case when p_hold.state = 'open' then p_hold.held else greatest(p_hold.tokens - p_hold.captured, 0) end;
        usage := credits.usage_of_rest(p_hold.usage_left);
    else
        v_price := credits.price_usage(p_hold.module_id, p_usage, p_at, p_hold.price_id);
        cost := v_price.cost;
        usage := v_price.usage;
        -- The parts of a use cost together what the whole use costs. Free quantities, tiers, minimums and whole units
        -- count once.
        if p_hold.seqs[1] is not null then
            v_before := credits.usage_sum(p_hold.usage, p_hold.usage_left, -1);
            v_price := credits.price_usage(
                p_hold.module_id, credits.usage_sum(usage, v_before, 1), p_at, p_hold.price_id
            );
            cost := v_price.cost;
            v_price := credits.price_usage(p_hold.module_id, v_before, p_at, p_hold.price_id);
            cost := cost - v_price.cost;
        end if;
    end if;
    cost := trim_scale(cost);
    own := least(cost, p_hold.held);
    released := case when p_final then trim_scale(p_hold.held - own) else 0 end;
end
$$;
comment on function credits.price_part(credits.holds, jsonb, boolean, timestamptz) is
'What a part of a hold costs, and the usage to record. Without p_usage, that is all that is held. own: how much of '
'the cost is held. released: how much becomes free, if this part is the last one. Raises PT422 bad_usage.';

create or replace function credits.check_capture(
    p_hold credits.holds, p_cost numeric, p_usage jsonb, p_final boolean, p_status text, p_at timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_late constant boolean not null := p_hold.state = 'expired';
begin
    if p_hold.state <> 'open' and (not v_late or p_hold.late or p_at >= p_hold.expires_at + interval '24 hours') then
        perform credits.refuse_closed(p_hold.state);
    end if;
    -- Users cannot capture their own holds while their account is frozen, or after 24 hours.
    if not credits.is_spender() and (p_status <> 'active' or p_at >= p_hold.created_at + interval '24 hours') then
        perform credits.refuse_own_hold(p_hold.state, p_status);
    end if;
    if p_cost = 0 then
        perform credits.check_free_part(p_hold, p_usage, p_final, p_at);
    end if;
end
$$;
comment on function credits.check_capture(credits.holds, numeric, jsonb, boolean, text, timestamptz) is
'Checks that this part of a hold may be charged. The wallet is locked, and p_status is its status. Raises PT409 '
'hold_closed, PT423 account_frozen (a user), PT422 bad_usage or PT429 unpaid_limit (a user, for a part that costs '
'nothing).';

create or replace function credits.pay_beyond_hold(
    p_hold credits.holds,
    p_cost numeric,
    p_own numeric,
    p_over text,
    p_entry_seq bigint,
    p_at timestamptz,
    out draws jsonb,
    out debt numeric,
    out shortfall numeric
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_service constant boolean not null := credits.is_spender();
    v_wallet credits.wallets;
    v_missing numeric;
begin
    debt := 0;
    select w.* into strict v_wallet from credits.wallets as w where w.account_id = p_hold.account_id;
    -- What users take beyond their hold is a spend like any other. No service has done work that must be paid for.
    if not v_service then
        if v_wallet.debt > 0 and credits.in_default(p_hold.account_id) then
            perform credits.refuse_tokens(v_wallet.balance, v_wallet.debt, p_hold.price_id, p_cost, p_cost - p_own);
        end if;
        perform credits.keep_limits(p_hold.account_id, p_cost - p_own, p_at);
    end if;

    select d.draws, d.missing into draws, v_missing
    from credits.draw_lots(p_hold.account_id, p_hold.module_id, p_cost - p_own, p_at) as d;
    if (v_missing > 0 and (p_over = 'error' or not v_service)) is true then
        perform credits.refuse_tokens(v_wallet.balance, v_wallet.debt, p_hold.price_id, p_cost, v_missing);
    elsif (v_missing > 0 and p_over = 'debt') is true then
        select trim_scale(least(greatest(a.overdraft_limit - v_wallet.debt, 0), v_missing)) into debt
        from credits.accounts as a
        where a.account_id = p_hold.account_id;
    end if;
    shortfall := trim_scale(v_missing - debt);
    if (shortfall > 0) is true then
        insert into credits.shortfalls (account_id, hold_id, entry_seq, tokens, created_at)
        values (p_hold.account_id, p_hold.hold_id, p_entry_seq, shortfall, p_at);
    end if;
end
$$;
comment on function credits.pay_beyond_hold(credits.holds, numeric, numeric, text, bigint, timestamptz) is
'Pays the part of a capture''s cost (p_cost) that its hold does not cover (p_own is covered). draws: from other '
'lots. debt: as much as the account may have. shortfall: the rest, which is written with the seq that the entry will '
'have. p_over: debt, available or error. Raises PT402 insufficient_tokens (error, or a user), PT429 spend_limit (a '
'user).';

create or replace function credits.charge_hold(
    p_wallet credits.wallets,
    p_hold credits.holds,
    p_cost numeric,
    p_usage jsonb,
    p_own numeric,
    p_released numeric,
    p_final boolean,
    p_over text,
    p_at timestamptz,
    p_user_id text
)
returns api.capture_receipt
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor constant text := credits.actor();
    v_seq constant bigint := p_wallet.seq + 1;
    v_posted_at constant timestamptz := greatest(p_at, p_wallet.posted_at + interval '1 microsecond');
    v_late constant boolean not null := p_hold.state = 'expired';
    v_ends constant boolean not null := p_final or v_late;
    -- Are all held tokens in the head lot, and does nothing else follow from freeing them?
    v_in_head constant boolean := p_wallet.head_quiet and credits.is_in_head(p_hold.draws, p_wallet.head_lot);
    v_part record;
    v_draws jsonb;
    v_rest jsonb := jsonb_build_array();
    v_head_taken numeric := 0;
    v_head_unreserved numeric := 0;
    v_debt numeric := 0;
    v_shortfall numeric := 0;
    v_paid numeric := p_cost;
    v_balance numeric;
    v_hash bytea;
begin
    -- 1. Take the cost from what is held, and the rest from other lots.
    if v_in_head then
        v_draws := credits.draw_of(p_wallet.head_lot, p_own);
        v_head_taken := p_own;
        v_head_unreserved := p_own + p_released;
        v_rest := credits.draw_of(p_wallet.head_lot, p_hold.held - p_own);
    else
        v_part := credits.unhold_lots(p_hold.account_id, p_hold.draws, p_own, p_released);
        v_draws := v_part.draws;
        v_rest := v_part.rest;
    end if;
    if p_cost > p_own then
        v_part := credits.pay_beyond_hold(p_hold, p_cost, p_own, p_over, v_seq, p_at);
        v_draws := v_draws || v_part.draws;
        v_debt := v_part.debt;
        v_shortfall := v_part.shortfall;
        v_paid := trim_scale(p_cost - v_shortfall);
    end if;
    v_balance := p_wallet.balance - v_paid;

    -- 2. Write the entry, the wallet and the hold.
    v_hash := credits.entry_hash(p_wallet.head_hash, row(
        p_wallet.account_id, v_seq, v_posted_at, v_posted_at, 'spend', -v_paid, v_balance, p_wallet.debt + v_debt, v_draws,
        p_hold.module_id, p_usage, p_hold.price_id, null, p_hold.hold_id, v_late, null, null, null, v_actor,
        p_hold.metadata, null, p_hold.tags, null
    )::credits.entries);
    insert into credits.entries (account_id, seq, posted_at, effective_at, kind, tokens, balance_after, debt_after, draws,
        module_id, usage, price_id, hold_id, late, actor, metadata, hash, tags)
    values (
        p_wallet.account_id, v_seq, v_posted_at, v_posted_at, 'spend', -v_paid, v_balance, p_wallet.debt + v_debt, v_draws,
        p_hold.module_id, p_usage, p_hold.price_id, p_hold.hold_id, v_late, v_actor, p_hold.metadata, v_hash, p_hold.tags
    );
    update credits.wallets as w
    set
        seq = v_seq, balance = v_balance, debt = w.debt + v_debt, posted_at = v_posted_at, head_hash = v_hash,
        held = w.held - p_own - p_released, lifetime_spent = w.lifetime_spent + v_paid,
        head_taken = w.head_taken + v_head_taken, head_reserved = w.head_reserved - v_head_unreserved
    where w.account_id = p_wallet.account_id;
    update credits.holds as h
    set
        state = case when p_final and not v_late then 'captured' else h.state end,
        held = case when p_final then 0 else h.held - p_own end,
        captured = h.captured + v_paid, shortfall = h.shortfall + v_shortfall, seqs = h.seqs || v_seq, late = v_late,
        draws = case when p_final then '[]' else v_rest end,
        usage_left = case when p_final then h.usage_left else credits.usage_sum(h.usage_left, p_usage, -1) end,
        actor = case when v_ends then v_actor else h.actor end, finished_at = case when v_ends then p_at end
    where h.account_id = p_hold.account_id and h.hold_id = p_hold.hold_id
    returning h.state, h.held into p_hold.state, p_hold.held;

    -- 3. Do what follows, unless everything stayed in the head lot.
    if p_cost > p_own or (not v_in_head and p_own + p_released > 0) then
        perform credits.finish_unholding(p_wallet.account_id, p_wallet.balance - p_own - p_released, v_balance,
            case when p_released > 0 then v_rest end, p_at, v_seq);
    end if;
    return row(
        p_hold.account_id || ':' || p_hold.hold_id, p_hold.account_id || ':' || v_seq, p_user_id, p_hold.module_id,
        p_hold.state::text, p_cost, v_paid, v_debt, v_shortfall, trim_scale(p_hold.held), p_released,
        trim_scale(v_balance), v_draws, v_late, false, p_hold.price_source, 0::numeric
    );
end
$$;
comment on function credits.charge_hold(
    credits.wallets, credits.holds, numeric, jsonb, numeric, numeric, boolean, text, timestamptz, text
) is
'Charges a part of a hold on a locked wallet: p_cost tokens, of which p_own are held. p_released more become free. '
'p_final: this is the last part. Raises PT402 insufficient_tokens, PT429 spend_limit (a user, beyond the hold).';

create or replace function credits.capture_options(p_usage jsonb, p_final boolean, p_over text)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return nullif(jsonb_strip_nulls(jsonb_build_object(
        'held', case when p_usage is null then true end,
        'final', case when p_final is false then false end,
        'over', nullif(p_over, 'debt')
    )), '{}');
end
$$;
comment on function credits.capture_options(jsonb, boolean, text) is
'The arguments of a capture that its key keeps (credits.idempotency_keys.options). p_usage: null for all that is '
'held. Null: the defaults.';

create or replace function credits.capture_again(
    p_hold credits.holds, p_usage jsonb, p_final boolean, p_over text, p_key text, p_user_id text
)
returns api.capture_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_known credits.idempotency_keys;
    v_entry credits.entries;
begin
    select k.* into v_known
    from credits.idempotency_keys as k
    where k.account_id = p_hold.account_id and k.operation = 'capture_hold' and k.key = p_key;
    select e.* into v_entry
    from credits.entries as e
    where e.account_id = p_hold.account_id and e.seq = v_known.entry_seq;
    if not found then
        -- The key was forgotten at this very moment. After 35 days a repeat is a new call.
        perform credits.refuse_busy('this key');
    elsif (
        v_known.made_id = p_hold.hold_id and v_known.options is not distinct from credits.capture_options(p_usage, p_final, p_over)
        and (p_usage is null or v_entry.usage = credits.usage_or_call(p_usage))
    ) is not true then
        perform credits.refuse_key();
    end if;
    return credits.capture_receipt(p_hold, v_entry, p_final, p_user_id);
end
$$;
comment on function credits.capture_again(credits.holds, jsonb, boolean, text, text, text) is
'Repeats the answer of the call that used this key first. The wallet is locked. Raises PT409 key_reused when the '
'arguments differ.';

create or replace function credits.capture_receipt(
    p_hold credits.holds, p_entry credits.entries, p_final boolean, p_user_id text
)
returns api.capture_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_debt_before numeric;
    v_shortfall numeric;
begin
    select e.debt_after into v_debt_before
    from credits.entries as e
    where e.account_id = p_hold.account_id and e.seq = p_entry.seq - 1;
    select s.tokens into v_shortfall
    from credits.shortfalls as s
    where s.account_id = p_hold.account_id and s.entry_seq = p_entry.seq;
    v_shortfall := coalesce(v_shortfall, 0);
    return row(
        p_hold.account_id || ':' || p_hold.hold_id, p_hold.account_id || ':' || p_entry.seq, p_user_id, p_hold.module_id,
        p_hold.state::text, trim_scale(v_shortfall - p_entry.tokens), trim_scale(-p_entry.tokens),
        trim_scale(p_entry.debt_after - coalesce(v_debt_before, 0)), trim_scale(v_shortfall), trim_scale(p_hold.held),
        -- What the last part left of the hold went free with it.
        case
            when p_final and p_hold.state = 'captured'
                then trim_scale(greatest(p_hold.tokens - p_hold.captured - p_hold.shortfall, 0))
            else 0
        end,
        trim_scale(p_entry.balance_after), p_entry.draws, p_entry.late, true, p_hold.price_source,
        credits.refunded_of(p_hold.account_id, p_entry.seq)
    );
end
$$;
comment on function credits.capture_receipt(credits.holds, credits.entries, boolean, text) is
'The answer of an earlier capture, read from its entry. p_final: the call asked for it as the last part. state and '
'held are those of the hold as it is now. refunded is what has been given back by now.';
