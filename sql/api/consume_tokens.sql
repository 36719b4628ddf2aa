-- Spend tokens on a module.
--
--   1. Find the caller's account; a service names the user.
--   2. Lock the wallet: the only lock of a spend. Whatever races with it waits here.
--   3. A repeat of an answered call gets that answer.
--   4. Price the usage in the database. With the user's own key at the provider it costs nothing.
--   5. Keep to the spend limits. Take the tokens from the lots, in burn order: all or nothing.
--   6. Write the entry and the new balance.
--
-- Any refusal undoes everything and leaves no key: the same call may succeed after a top-up.

create or replace function credits.spend(
    p_account_id uuid,
    p_user_id text,
    p_module_id text,
    p_usage jsonb,
    p_key text,
    p_metadata jsonb,
    p_byok boolean default false,
    p_expected_cost numeric default null
)
returns api.spend_receipt
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_seq bigint;
    v_balance numeric;
    v_debt numeric;
    v_posted_at timestamptz;
    v_hash bytea;
    v_status text;
    v_head_lot bigint;
    v_head_free numeric;
    v_due_at timestamptz;
    v_test_clock timestamptz;
    v_now timestamptz;
    v_known text;
    v_price record;
    v_from_head numeric;
    v_settled boolean := false;
    v_drawn record;
    v_draws jsonb;
begin
    if p_metadata is distinct from '{}' then
        perform credits.check_metadata(p_metadata);
    end if;
    if (pg_column_size(p_usage) > 2048) is true then
        perform credits.fail(422, 'bad_usage', 'usage is larger than 2 kB');
    end if;

    -- 2. Lock. When the clock has made something due, or the session wants commits that are not durable, the long way first.
    loop
        select w.seq + 1, w.balance, w.debt, w.posted_at, w.head_hash, w.status, w.head_lot, w.head_free, w.due_at,
            w.test_clock
        into v_seq, v_balance, v_debt, v_posted_at, v_hash, v_status, v_head_lot, v_head_free, v_due_at, v_test_clock
        from credits.wallets as w
        where w.account_id = p_account_id
        for no key update;
        -- The time after the lock: waiting for it may have taken long.
        v_now := coalesce(v_test_clock, credits.clock());
        exit when (v_due_at > v_now and current_setting('synchronous_commit') not in ('off', 'local')) is true;
        perform credits.lock_wallet(p_account_id, p_settle => false);
    end loop;

    -- 3. Repeat?
    if p_key is not null then
        v_known := credits.claim_key(
            p_account_id, 'consume_tokens', p_key,
            jsonb_build_array(p_module_id, credits.spelled_usage(p_usage), p_metadata, p_byok, p_expected_cost), v_seq::text
        );
        if v_known is not null then
            return credits.spend_receipt(p_account_id, v_known::bigint, p_user_id);
        end if;
    end if;
    if v_status <> 'active' then
        perform credits.fail(423, 'account_frozen', 'this account is ' || v_status);
    end if;

    -- 4. Price. The database's price wins; one that the client names must be the same.
    v_price := credits.price_usage(p_module_id, p_usage, v_now);
    if (v_price.cost = 0) is true then
        perform credits.check_free_use(v_price.price_id, p_account_id, v_now);
    end if;
    if p_byok then
        v_price.cost := 0;
    end if;
    if (p_expected_cost <> v_price.cost) is true then
        perform credits.fail(
            422, 'price_mismatch', 'the price in the database is not the one named',
            json_build_object('cost', trim_scale(v_price.cost), 'expected', trim_scale(p_expected_cost))
        );
    end if;

    -- 5. Take. The wallet carries tokens that are next for every module and break no limit; when those do not do, the
    --    limits and the lots themselves. Nothing while there is more debt than there may be: asked in two steps, since
    --    PostgreSQL makes both sides of an AND ready, needed or not.
    if v_debt > 0 then
        if v_price.cost > 0 and credits.in_default(p_account_id) then
            perform credits.refuse_tokens(v_balance, v_debt, v_price.price_id, v_price.cost, v_price.cost);
        end if;
    end if;
    if v_price.cost <= v_head_free and v_price.cost > 0 then
        v_from_head := v_price.cost;
        v_draws := jsonb_build_array(jsonb_build_object('lot_id', v_head_lot, 'tokens', trim_scale(v_from_head)));
    else
        v_from_head := 0;
        perform credits.keep_limits(p_account_id, v_price.cost, v_now);
        v_settled := v_price.cost > 0;
        v_drawn := credits.draw_settled(p_account_id, p_module_id, v_price.cost, v_now);
        if (v_drawn.missing > 0) is true then
            perform credits.refuse_tokens(v_balance, v_debt, v_price.price_id, v_price.cost, v_drawn.missing);
        end if;
        v_draws := v_drawn.draws;
    end if;

    -- 6. Write.
    v_balance := credits.post_entry(
        p_account_id, v_seq, v_balance, v_debt, v_posted_at, v_hash,
        case when p_byok then 'byok' else 'spend' end::credits.entry_kind, -v_price.cost, v_draws,
        p_module_id, v_price.usage, v_price.price_id, p_metadata => p_metadata, p_from_head => v_from_head, p_at => v_now
    );
    if v_settled then
        perform credits.choose_head(p_account_id, v_now);
    end if;
    return row(
        p_account_id || ':' || v_seq, p_user_id, p_module_id, trim_scale(v_price.cost),
        trim_scale(v_balance), v_draws, false, v_price.price_source, 0::numeric
    );
end
$$;
comment on function credits.spend(uuid, text, text, jsonb, text, jsonb, boolean, numeric) is
'The work of api.consume_tokens, on an account.';

create or replace function credits.spend_receipt(p_account_id uuid, p_seq bigint, p_user_id text)
returns api.spend_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_entry credits.entries;
begin
    select e.* into v_entry from credits.entries as e where e.account_id = p_account_id and e.seq = p_seq;
    return row(
        p_account_id || ':' || p_seq, p_user_id, v_entry.module_id, trim_scale(-v_entry.tokens),
        trim_scale(v_entry.balance_after), v_entry.draws, true,
        (select credits.price_source(p) from credits.prices as p where p.price_id = v_entry.price_id),
        credits.refunded_of(p_account_id, p_seq)
    );
end
$$;
comment on function credits.spend_receipt(uuid, bigint, text) is
'The answer of an earlier spend, told again from its entry; refunded is what has been given back by now.';

create or replace function api.consume_tokens(
    module_id text,
    usage jsonb default '{}',
    idempotency_key text default null,
    user_id text default null,
    metadata jsonb default '{}',
    byok boolean default false
)
returns api.spend_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- 1. Who.
    v_subject constant text := credits.caller_subject(consume_tokens.user_id, 'spender');
    v_before text;
    v_receipt api.spend_receipt;
begin
    -- No wait without an end, whatever the session has set. In one subtransaction with all that the call writes: a lock
    -- taken in one and used in another would cost more than both.
    if current_setting('lock_timeout') <> '2s' then
        v_before := credits.bound_wait();
    end if;
    if consume_tokens.byok is not false then
        if not credits.is_spender() then
            perform credits.fail(403, 'not_yours', 'only a service may say that the user''s own key was used');
        elsif consume_tokens.byok is null then
            perform credits.fail(422, 'bad_byok', 'byok is true or false: null must not say who pays');
        end if;
    end if;
    v_receipt := credits.spend(
        credits.account_of(v_subject, false), v_subject, consume_tokens.module_id, consume_tokens.usage,
        consume_tokens.idempotency_key, consume_tokens.metadata, consume_tokens.byok
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
comment on function api.consume_tokens(text, jsonb, text, text, jsonb, boolean) is
'Spend tokens on a module.

The price is the database''s; usage gives the quantity of each dimension of the price, by default {"calls": 1}.
price_source says whose price it is: the module''s own, its category''s, or the default of every other module.
A user''s use may cost 0 only where one whole unit costs 0. metadata: at most 1 kB of a user, 16 kB of a service.
With an idempotency_key (1 to 200 characters) a repeat of the same call gets the same answer, replayed: true, but refunded
says what of the charge has been given back by then.
A user spends their own tokens; a service names the user_id.
byok: a service says that the user''s own key at the provider was used: recorded with its quantities, cost 0.
Raises PT402 insufficient_tokens (balance, available, cost, missing, affordable), PT404 unknown_module (did_you_mean)
or unknown_user, PT409 key_reused, PT422 bad_usage, bad_key, bad_byok or bad_metadata, PT423 account_frozen, PT429 spend_limit or
unpaid_limit (a user, of a free module), PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';

-- The signature of the first IAHome system.
create or replace function api.consume_tokens(
    user_id text,
    module_id text,
    module_name text,
    tokens_to_consume numeric
)
returns api.spend_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return api.consume_call(
        consume_tokens.user_id, consume_tokens.module_id, consume_tokens.module_name, consume_tokens.tokens_to_consume
    );
end
$$;
comment on function api.consume_tokens(text, text, text, numeric) is
'Spend tokens on one call of a module, naming the price (IAHome''s signature). It takes no idempotency_key, so a repeat
is another charge: consume_call takes one.

Raises what consume_call raises.';
