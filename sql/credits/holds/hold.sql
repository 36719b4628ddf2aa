-- The steps of api.hold_tokens that most calls do not need: waiting, a repeat, and the bounds on what a user may hold.

-- The same as credits.wait_to_spend, for a hold.
create or replace function credits.wait_to_hold(
    p_account_id uuid,
    p_module_id text,
    p_usage jsonb,
    p_ttl interval,
    p_key text,
    p_user_id text,
    p_metadata jsonb,
    p_tags jsonb
)
returns api.hold_receipt
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before constant text := current_setting('lock_timeout');
    v_receipt api.hold_receipt;
begin
    perform credits.bound_wait();
    perform from credits.wallets as w where w.account_id = p_account_id for no key update;
    if not found then
        perform credits.refuse_unknown_user();
    end if;
    v_receipt := api.hold_tokens(p_module_id, p_usage, p_ttl, p_key, p_user_id, p_metadata, p_tags);
    perform set_config('lock_timeout', v_before, true);
    return v_receipt;
exception
    when lock_not_available then
        perform credits.refuse_busy();
        return null;
end
$$;
comment on function credits.wait_to_hold(uuid, text, jsonb, interval, text, text, jsonb, jsonb) is
'Waits at most 4 seconds for a wallet that another transaction has locked, and then makes the hold. Raises PT503 '
'busy, PT404 unknown_user, and what api.hold_tokens raises.';

create or replace function credits.check_hold_arguments(
    p_usage jsonb, p_ttl interval, p_metadata jsonb, p_key text, p_tags jsonb
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.check_metadata(p_metadata);
    perform credits.check_tags(p_tags);
    perform credits.check_usage_size(p_usage);
    perform credits.check_ttl(p_ttl);
    if p_key is not null then
        perform credits.check_key(p_key);
    end if;
end
$$;
comment on function credits.check_hold_arguments(jsonb, interval, jsonb, text, jsonb) is
'Checks the arguments of a hold. Raises PT422 bad_usage, bad_ttl, bad_metadata, bad_tags or bad_key.';

create or replace function credits.hold_again(
    p_account_id uuid,
    p_module_id text,
    p_usage jsonb,
    p_ttl numeric,
    p_key text,
    p_user_id text,
    p_metadata jsonb,
    p_tags jsonb
)
returns api.hold_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_hold credits.holds;
begin
    select h.* into v_hold
    from credits.idempotency_keys as k
    join credits.holds as h on k.account_id = h.account_id and k.made_id = h.hold_id
    where k.account_id = p_account_id and k.operation = 'hold_tokens' and k.key = p_key;
    if not found then
        -- The key was forgotten at this very moment: after 35 days a repeat is a new call.
        perform credits.refuse_busy('this key');
    end if;
    -- by_service counts too. Otherwise a user who knows a service's key could make the hold first, and release it.
    if (
        v_hold.module_id = p_module_id and v_hold.usage = credits.usage_or_call(p_usage) and v_hold.ttl = p_ttl
        and v_hold.metadata = p_metadata and v_hold.tags is not distinct from p_tags
        and v_hold.by_service = credits.is_spender()
    ) is not true then
        perform credits.refuse_key();
    end if;
    -- A caller who repeats a call is about to do the work. They must see that the hold has ended meanwhile.
    return row(
        p_account_id || ':' || v_hold.hold_id, p_user_id, v_hold.module_id, v_hold.state::text, trim_scale(v_hold.held),
        trim_scale(v_hold.first_balance),
        trim_scale(coalesce(v_hold.first_available, greatest(v_hold.first_balance - v_hold.first_held, 0))),
        v_hold.first_draws, v_hold.expires_at, true, v_hold.price_source
    );
end
$$;
comment on function credits.hold_again(uuid, text, jsonb, numeric, text, text, jsonb, jsonb) is
'Repeats the answer of the call that used this key first. balance, available and draws are as they were then; state, '
'held and expires_at are as they are now. The wallet is locked, so an expired hold has been booked. Raises PT409 '
'key_reused when the arguments differ.';

create or replace function credits.check_hold(
    p_account_id uuid, p_price_id bigint, p_cost numeric, p_service boolean, p_at timestamptz
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_cost = 0 or exists (
        select from credits.wallets as w where w.account_id = p_account_id and w.held > 0
    ) then
        perform credits.keep_holds_few(p_account_id, p_service);
    end if;
    if not p_service then
        perform credits.keep_unpaid_few(p_account_id, p_at, p_holds => true);
    end if;
    if p_cost = 0 then
        perform credits.check_free_use(p_price_id);
        -- Otherwise the hold could be made, but not captured.
        if not p_service then
            perform credits.keep_unpaid_few(p_account_id, p_at, p_holds => false);
        end if;
    end if;
end
$$;
comment on function credits.check_hold(uuid, bigint, numeric, boolean, timestamptz) is
'Checks that a locked wallet may have one more hold. Raises PT429 too_many_holds or unpaid_limit, PT422 bad_usage.';
