-- The steps of api.consume_tokens that most calls do not need: the checks of rare arguments, waiting, a repeat, and
-- taking tokens without a permit.

create or replace function credits.refuse_byok()
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(422, 'bad_byok', 'byok must be true or false, not null');
end
$$;
comment on function credits.refuse_byok() is 'Raises PT422 bad_byok.';

create or replace function credits.check_spend(
    p_usage jsonb, p_metadata jsonb, p_byok boolean, p_key text, p_tags jsonb
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_byok is not false and not credits.is_spender() then
        perform credits.fail(403, 'not_yours', 'only a service may say that the user''s own key was used');
    elsif p_byok is null then
        perform credits.refuse_byok();
    elsif p_metadata is distinct from '{}' then
        perform credits.check_metadata(p_metadata);
    end if;
    perform credits.check_tags(p_tags);
    perform credits.check_usage_size(p_usage);
    if p_key is not null then
        perform credits.check_key(p_key);
    end if;
end
$$;
comment on function credits.check_spend(jsonb, jsonb, boolean, text, jsonb) is
'Checks the arguments of a spend. Raises PT403 not_yours, PT422 bad_usage, bad_byok, bad_metadata, bad_tags or '
'bad_key.';

-- Only a subtransaction can tell the end of the wait from other errors. It also does everything that the call writes,
-- because a lock that is taken in one subtransaction and used in another costs more.
create or replace function credits.wait_to_spend(
    p_account_id uuid,
    p_module_id text,
    p_usage jsonb,
    p_key text,
    p_user_id text,
    p_metadata jsonb,
    p_byok boolean,
    p_tags jsonb
)
returns api.spend_receipt
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before constant text := current_setting('lock_timeout');
    v_receipt api.spend_receipt;
begin
    perform credits.bound_wait();
    perform from credits.wallets as w where w.account_id = p_account_id for no key update;
    if not found then
        perform credits.refuse_unknown_user();
    end if;
    v_receipt := api.consume_tokens(p_module_id, p_usage, p_key, p_user_id, p_metadata, p_byok, p_tags);
    perform set_config('lock_timeout', v_before, true);
    return v_receipt;
exception
    when lock_not_available then
        perform credits.refuse_busy();
        return null;
end
$$;
comment on function credits.wait_to_spend(uuid, text, jsonb, text, text, jsonb, boolean, jsonb) is
'Waits at most 4 seconds for a wallet that another transaction has locked, and then spends. Raises PT503 busy, PT404 '
'unknown_user, and what api.consume_tokens raises.';

create or replace function credits.spend_again(
    p_account_id uuid,
    p_module_id text,
    p_usage jsonb,
    p_key text,
    p_user_id text,
    p_metadata jsonb,
    p_byok boolean,
    p_tags jsonb
)
returns api.spend_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_entry credits.entries;
begin
    select e.* into v_entry
    from credits.idempotency_keys as k
    join credits.entries as e on k.account_id = e.account_id and k.entry_seq = e.seq
    where k.account_id = p_account_id and k.operation = 'consume_tokens' and k.key = p_key;
    if not found then
        -- The key was forgotten at this very moment. After 35 days a repeat is a new call.
        perform credits.refuse_busy('this key');
    end if;
    -- The entry records the arguments. jsonb compares numbers by value, however they are spelled.
    if (
        v_entry.module_id = p_module_id and v_entry.usage = credits.usage_or_call(p_usage)
        and v_entry.metadata = p_metadata and v_entry.tags is not distinct from p_tags
        and v_entry.kind = case when p_byok is true then 'byok'::credits.entry_kind else 'spend' end
    ) is not true then
        perform credits.refuse_key();
    end if;
    return credits.spend_receipt(p_account_id, v_entry.seq, p_user_id);
end
$$;
comment on function credits.spend_again(uuid, text, jsonb, text, text, jsonb, boolean, jsonb) is
'Repeats the answer of the call that used this key first. The wallet is locked. Raises PT409 key_reused when the '
'arguments differ.';

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
'The answer of an earlier spend, read from its entry. refunded is what has been given back by now.';

create or replace function credits.take_tokens(
    p_account_id uuid,
    p_module_id text,
    p_tokens numeric,
    p_price_id bigint,
    p_at timestamptz,
    p_hold boolean default false
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_wallet credits.wallets;
    v_drawn record;
begin
    if p_tokens = 0 then
        return jsonb_build_array();
    end if;
    select w.* into strict v_wallet from credits.wallets as w where w.account_id = p_account_id;
    -- An account with more debt than it may have can spend nothing.
    if v_wallet.debt > 0 and credits.in_default(p_account_id) then
        perform credits.refuse_tokens(v_wallet.balance, v_wallet.debt, p_price_id, p_tokens, p_tokens);
    end if;
    perform credits.keep_limits(p_account_id, p_tokens, p_at);
    v_drawn := credits.draw_lots(p_account_id, p_module_id, p_tokens, p_at, p_hold);
    if v_drawn.missing > 0 then
        perform credits.refuse_tokens(v_wallet.balance, v_wallet.debt, p_price_id, p_tokens, v_drawn.missing);
    end if;
    return v_drawn.draws;
end
$$;
comment on function credits.take_tokens(uuid, text, numeric, bigint, timestamptz, boolean) is
'Takes p_tokens from the lots of a locked wallet, or holds them there, all or nothing. Returns the draws. The caller '
'updates the wallet and calls credits.finish_taking. Raises PT402 insufficient_tokens, PT429 spend_limit.';

create or replace function credits.finish_taking(
    p_account_id uuid,
    p_before numeric,
    p_after numeric,
    p_at timestamptz,
    p_entry_seq bigint default null,
    p_hold_id uuid default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.write_notices(p_account_id, p_before, p_after);
    perform credits.fire_topup(p_account_id, p_before, p_after, p_at, p_entry_seq, p_hold_id);
    perform credits.choose_head(p_account_id, p_at);
end
$$;
comment on function credits.finish_taking(uuid, numeric, numeric, timestamptz, bigint, uuid) is
'Does what follows when tokens have been taken without a permit and the locked wallet has been written: writes '
'notices of the fall from p_before to p_after, begins an automatic top-up, and gives a permit for the next spend. The '
'tokens were taken by the entry p_entry_seq or the hold p_hold_id.';
