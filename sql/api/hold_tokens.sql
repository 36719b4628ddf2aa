-- Hold tokens for work whose cost is known only when it ends. This is the first of two phases: capture_hold or
-- release_hold is the second.
--
--   1. Find the caller's account. A service names the user.
--   2. Lock the wallet, as a spend does. Anything that is past its time is booked first.
--   3. Answer a repeated call with the answer of the first one, but with the present state of the hold.
--   4. Price the worst case in the database. The hold keeps this version of the price. A wallet with nothing held has
--      no open holds, except holds of 0 tokens. So most calls of services need not count holds.
--   5. Hold the tokens in their lots, in burn order, all or nothing. The permit covers the head lot. Beyond the permit,
--      check the limits, which count held tokens as spent.
--   6. Write the hold. It is not an entry, because nothing has been charged.
create or replace function api.hold_tokens(
    module_id text,
    usage jsonb default '{}',
    ttl interval default '15 minutes',
    idempotency_key text default null,
    user_id text default null,
    metadata jsonb default '{}',
    tags jsonb default null
)
returns api.hold_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor constant text := credits.actor();
    v_service constant boolean := pg_has_role(v_actor, 'spender', 'member');
    v_subject constant text := coalesce(case when v_service then user_id end, credits.caller_subject(user_id, 'spender'));
    v_account_id uuid;
    v_hold_id constant uuid := gen_random_uuid();
    v_ttl constant numeric := extract(epoch from ttl);
    v_wallet record;
    v_now timestamptz;
    v_expires_at timestamptz;
    v_price record;
    v_permitted numeric := 0;
    v_available numeric;
    v_draws jsonb;
begin
    -- 1. Find.
    select i.account_id into v_account_id from credits.identities as i where i.subject = v_subject;
    v_account_id := coalesce(v_account_id, credits.account_of(v_subject, false));
    if metadata is distinct from '{}' or tags is not null or (v_ttl > 0 and v_ttl <= 86400) is not true
        or (pg_column_size(usage) > 2048 or length(idempotency_key) > 200 or idempotency_key !~ '^[!-~]+$') is true then
        perform credits.check_hold_arguments(usage, ttl, metadata, idempotency_key, tags);
        tags := nullif(tags, '{}');
    end if;
    -- 2. Lock.
    loop
        select w.balance, w.debt, w.held, w.status, w.head_lot, w.head_permit, w.due_at, w.test_clock
        into v_wallet from credits.wallets as w where w.account_id = v_account_id for no key update skip locked;
        if not found then
            return credits.wait_to_hold(v_account_id, module_id, usage, ttl, idempotency_key, v_subject, metadata, tags);
        end if;
        v_now := coalesce(v_wallet.test_clock, credits.clock());
        exit when v_wallet.due_at > v_now and current_setting('synchronous_commit') not in ('off', 'local');
        perform credits.lock_wallet(v_account_id);
    end loop;
    v_expires_at := v_now + make_interval(secs => v_ttl);
    -- 3. Repeat?
    if idempotency_key is not null then
        insert into credits.idempotency_keys (account_id, operation, key, made_id, created_at)
        values (v_account_id, 'hold_tokens', idempotency_key, v_hold_id, credits.clock()) on conflict do nothing;
        if not found then
            return credits.hold_again(v_account_id, module_id, usage, v_ttl, idempotency_key, v_subject, metadata, tags);
        end if;
    elsif credits.header_key('hold_tokens') is not null then
        return api.hold_tokens(module_id, usage, ttl, credits.header_key('hold_tokens'), user_id, metadata, tags);
    end if;
    if v_wallet.status <> 'active' then
        perform credits.refuse_status(v_wallet.status);
    end if;
    -- 4. Price.
    v_price := credits.price_usage(module_id, usage, v_now);
    if v_wallet.held > 0 or v_price.cost = 0 or not v_service then
        perform credits.check_hold(v_account_id, v_price.price_id, v_price.cost, v_service, v_now);
    end if;
    -- 5. Hold.
    if v_price.cost <= v_wallet.head_permit and v_price.cost > 0 then
        v_permitted := v_price.cost;
        v_draws := credits.draw_of(v_wallet.head_lot, v_permitted);
        v_available := v_wallet.balance + v_wallet.debt - v_wallet.held - v_permitted;
    else
        v_draws := credits.take_tokens(v_account_id, module_id, v_price.cost, v_price.price_id, v_now, p_hold => true);
        v_available := credits.available(v_account_id, v_now);
    end if;
    -- 6. Write.
    update credits.wallets as w
    set held = w.held + v_price.cost, head_permit = w.head_permit - v_permitted, head_reserved = w.head_reserved + v_permitted,
        due_at = least(w.due_at, v_expires_at)
    where w.account_id = v_account_id;
    if v_permitted <> v_price.cost then
        perform credits.finish_taking(v_account_id, v_wallet.balance + v_price.cost, v_wallet.balance, v_now,
            p_hold_id => v_hold_id);
    end if;
    insert into credits.holds (account_id, hold_id, module_id, price_id, price_source, usage, usage_left, tokens, held, draws,
        by_service, actor, metadata, tags, created_at, expires_at, ttl, first_balance, first_held, first_available, first_draws)
    values (v_account_id, v_hold_id, module_id, v_price.price_id, v_price.price_source, v_price.usage, v_price.usage,
        v_price.cost, v_price.cost, v_draws, v_service, v_actor, metadata, tags, v_now, v_expires_at, v_ttl,
        v_wallet.balance, v_wallet.held + v_price.cost, v_available, v_draws);
    return row(v_account_id || ':' || v_hold_id, v_subject, module_id, 'open'::text, trim_scale(v_price.cost),
        trim_scale(v_wallet.balance), trim_scale(v_available), v_draws, v_expires_at, false, v_price.price_source);
end
$$;
comment on function api.hold_tokens(text, jsonb, interval, text, text, jsonb, jsonb) is
'Hold tokens for a use of a module. The use is priced now, at the worst case that usage names. capture_hold charges it
when the work is done. release_hold frees the tokens. After ttl (at most 24 hours) the hold expires, and they are free
again.

The hold keeps its version of the price and its lots, even if prices change or lots expire meanwhile.
With an idempotency_key (1 to 200 characters) a repeat of the same call gets the same answer with replayed: true. But
state, held and expires_at are those of the hold as it is now: start the work only while it is open.
A user holds their own tokens. A service names the user_id, and only a service can capture or release a hold that a
service made.

tags: as consume_tokens takes them. Each charge of the hold gets them.

A user can make no hold while their account has 100 open ones. A service can make none while 100 open ones were made by
services. The operator can set another number. In an hour, 1000 holds of a user may end with nothing charged;
credits.bound_unpaid changes that.
Raises PT402 insufficient_tokens (balance, available, cost, missing, affordable, debt), PT404 unknown_module or unknown_user,
PT409 key_reused, PT422 bad_usage, bad_ttl, bad_key, bad_user, bad_metadata or bad_tags, PT423 account_frozen, PT429
spend_limit, too_many_holds (limit) or unpaid_limit (a user: limit, reset_at), PT403 not_yours, PT401 not_signed_in,
PT422 bad_isolation.';
