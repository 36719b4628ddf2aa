-- Spend tokens on a module: this is what happens when a token is spent.
--
--   1. Find the caller's account, or open a new user's. A user spends their own tokens. A service names the user.
--   2. Lock the wallet. Everything that competes with this spend waits here. Most spends lock nothing else.
--   3. Answer a repeated call with the answer of the first.
--   4. Price the usage in the database. A use with the user's own key at the provider costs nothing.
--   5. Take the tokens. Most spends take from the same lot as the spend before. The wallet has a permit for that lot,
--      and sums up what was taken (see head_lot.sql). Beyond the permit, credits.take_tokens checks limits, debt and
--      all lots, and updates the rows of lots.
--   6. Write the entry with its hash, and the new balance. Beyond the permit, credits.finish_taking then writes
--      notices, and gives a permit for the next spend.
--
-- A refusal undoes everything and leaves no key. So the same call may succeed after a top-up. Rare steps: spend.sql.
create or replace function api.consume_tokens(
    module_id text,
    usage jsonb default '{}',
    idempotency_key text default null,
    user_id text default null,
    metadata jsonb default '{}',
    byok boolean default false,
    tags jsonb default null
)
returns api.spend_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor constant text := credits.actor();
    v_usage constant jsonb := credits.usage_or_call(usage);
    v_subject text := case when pg_has_role(v_actor, 'spender', 'member') then user_id end;
    v_account_id uuid;
    v_wallet record;
    v_now timestamptz;
    v_kind constant credits.entry_kind := case when byok then 'byok'::credits.entry_kind else 'spend' end;
    v_price_id bigint;
    v_price_source text;
    v_cost numeric;
    v_permitted numeric := 0;
    v_draws jsonb;
begin
    -- 1. Find.
    v_subject := coalesce(v_subject, credits.caller_subject(user_id, 'spender'));
    select i.account_id into v_account_id from credits.identities as i where i.subject = v_subject;
    v_account_id := coalesce(v_account_id, credits.account_of(v_subject, false));
    if metadata is distinct from '{}' or byok is not false or tags is not null
        or (pg_column_size(usage) > 2048 or length(idempotency_key) > 200 or idempotency_key !~ '^[!-~]+$') is true then
        perform credits.check_spend(usage, metadata, byok, idempotency_key, tags);
        tags := nullif(tags, '{}');
    end if;

    -- 2. Lock. The transaction that has locked the wallet comes first, and so does anything due on the wallet.
    loop
        select w.seq + 1 as seq, w.balance, w.debt, w.status, w.posted_at, w.head_hash, w.head_lot, w.head_permit,
            w.due_at, w.test_clock
        into v_wallet from credits.wallets as w where w.account_id = v_account_id for no key update skip locked;
        if not found then
            return credits.wait_to_spend(v_account_id, module_id, usage, idempotency_key, v_subject, metadata, byok, tags);
        end if;
        v_now := coalesce(v_wallet.test_clock, credits.clock());
        exit when v_wallet.due_at > v_now and current_setting('synchronous_commit') not in ('off', 'local');
        perform credits.lock_wallet(v_account_id);
    end loop;

    -- 3. Repeat?
    if idempotency_key is not null then
        insert into credits.idempotency_keys (account_id, operation, key, entry_seq, created_at)
        values (v_account_id, 'consume_tokens', idempotency_key, v_wallet.seq, credits.clock()) on conflict do nothing;
        if not found then
            return credits.spend_again(v_account_id, module_id, usage, idempotency_key, v_subject, metadata, byok, tags);
        end if;
    elsif credits.header_key('consume_tokens') is not null then
        return api.consume_tokens(module_id, usage, credits.header_key('consume_tokens'), user_id, metadata, byok, tags);
    end if;
    if v_wallet.status <> 'active' then
        perform credits.refuse_status(v_wallet.status);
    end if;

    -- 4. Price. For most modules the price list has the cost of one call.
    if (usage = '{}') is true then
        select l.price_id, l.price_source, l.call_cost
        into v_price_id, v_price_source, v_cost from credits.price_list as l
        where l.module_id = consume_tokens.module_id and l.valid_from <= v_now and l.valid_until > v_now;
    end if;
    if v_cost is null then
        select p.price_id, p.price_source, p.cost into v_price_id, v_price_source, v_cost
        from credits.price_usage(module_id, usage, v_now) as p;
    end if;
    if v_cost = 0 then
        perform credits.check_free_use(v_price_id, v_account_id, v_now);
    elsif byok is true then
        v_cost := 0;
    end if;

    -- 5. Take.
    if v_cost <= v_wallet.head_permit and v_cost > 0 then
        v_permitted := v_cost;
        v_draws := credits.draw_of(v_wallet.head_lot, v_permitted);
    else
        v_draws := credits.take_tokens(v_account_id, module_id, v_cost, v_price_id, v_now);
    end if;

    -- 6. Write. A clock that steps back must not reorder the ledger.
    v_wallet.posted_at := greatest(v_now, v_wallet.posted_at + interval '1 microsecond');
    v_wallet.balance := v_wallet.balance - v_cost;
    v_wallet.head_hash := credits.entry_hash(v_wallet.head_hash, row(
        v_account_id, v_wallet.seq, v_wallet.posted_at, v_wallet.posted_at, v_kind, -v_cost, v_wallet.balance, v_wallet.debt,
        v_draws, module_id, v_usage, v_price_id, null, null, null, null, null, null, v_actor, metadata, null, tags, null
    )::credits.entries);
    insert into credits.entries (account_id, seq, posted_at, effective_at, kind, tokens, balance_after, debt_after, draws,
        module_id, usage, price_id, actor, metadata, hash, tags)
    values (v_account_id, v_wallet.seq, v_wallet.posted_at, v_wallet.posted_at, v_kind, -v_cost, v_wallet.balance,
        v_wallet.debt, v_draws, module_id, v_usage, v_price_id, v_actor, metadata, v_wallet.head_hash, tags);
    update credits.wallets as w
    set
        seq = v_wallet.seq, balance = v_wallet.balance, posted_at = v_wallet.posted_at, head_hash = v_wallet.head_hash,
        head_permit = w.head_permit - v_permitted, head_taken = w.head_taken + v_permitted,
        lifetime_spent = w.lifetime_spent + v_cost
    where w.account_id = v_account_id;
    if v_permitted <> v_cost then
        perform credits.finish_taking(v_account_id, v_wallet.balance + v_cost, v_wallet.balance, v_now, v_wallet.seq);
    end if;
    return row(
        v_account_id || ':' || v_wallet.seq, v_subject, module_id, trim_scale(v_cost), trim_scale(v_wallet.balance),
        v_draws, false, v_price_source, 0::numeric
    );
end
$$;
comment on function api.consume_tokens(text, jsonb, text, text, jsonb, boolean, jsonb) is
'Spend tokens on a module.

The database sets the price. usage gives the quantity of each dimension of the price, by default {"calls": 1}. A part of
a dimension (cached_input_tokens of input_tokens) may be named apart. It costs its own rate if the price has one for it,
otherwise that of its parent.
price_source says whose price it is: the module''s own, its category''s, or the default for every other module. A
user''s use may cost 0 only if one whole unit costs 0. metadata has at most 1 kB from a user, 16 kB from a service.
With an idempotency_key (1 to 200 characters) a repeat of the same call gets the same answer with replayed: true. But
refunded says how much of the charge has been given back by now. A user spends their own tokens. A service names the
user_id.
tags: at most 8 small texts that say what the use was for, such as {"conversation": "c-17"}. Sums are made of them:
usage_by_tag. Names have at most 40 characters, values 100. No personal data belongs there.
byok: true if a service reports that the user''s own key at the provider was used. The quantities are recorded, and
the cost is 0.
Raises PT402 insufficient_tokens (balance, available, cost, missing, affordable), PT404 unknown_module (did_you_mean)
or unknown_user, PT409 key_reused, PT422 bad_usage, bad_key, bad_byok, bad_metadata or bad_tags, PT423 account_frozen,
PT429 spend_limit or unpaid_limit (a user, of a free module), PT403 not_yours, PT401 not_signed_in, PT422
bad_isolation.';

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
is another charge. consume_call takes a key.

Raises what consume_call raises.';
