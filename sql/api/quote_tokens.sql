-- What a use would cost. This only reads and takes no lock. The answer may be out of date when the spend comes, and the
-- spend checks again.
--
--   1. Find the account. Asking opens no account.
--   2. Price the use.
--   3. Find the tokens that could pay for it. A user without an account is shown what their first spend would find.
create or replace function api.quote_tokens(
    module_id text,
    usage jsonb default '{}',
    user_id text default null
)
returns api.quote
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject constant text := credits.reader_subject(quote_tokens.user_id);
    v_account_id uuid;
    v_now timestamptz;
    v_price record;
    v_quote api.quote;
begin
    -- 1. Find the account.
    select i.account_id into v_account_id from credits.identities as i where i.subject = v_subject;
    if not found and credits.is_spender() then
        perform credits.refuse_unknown_user();
    end if;
    v_now := credits.clock(v_account_id);

    -- 2. Price the use.
    v_price := credits.price_usage(quote_tokens.module_id, quote_tokens.usage, v_now);
    v_quote.module_id := quote_tokens.module_id;
    v_quote.cost := trim_scale(v_price.cost);
    v_quote.price_id := v_price.price_id;
    v_quote.price_source := v_price.price_source;
    v_quote.parts := credits.price_parts(v_price.price_id, v_price.usage);

    -- 3. Find the tokens.
    if v_account_id is null then
        v_quote.balance := trim_scale(credits.welcome_tokens(v_now));
        v_quote.available := trim_scale(
            credits.welcome_tokens(v_now, credits.scopes_of(quote_tokens.module_id))
        );
    else
        v_quote.balance := trim_scale(credits.balance_at(v_account_id, v_now));
        v_quote.available := trim_scale(credits.tighter(
            credits.spendable(v_account_id, quote_tokens.module_id, v_now), credits.limit_left(v_account_id, v_now)
        ));
    end if;
    v_quote.sufficient := v_quote.available >= v_quote.cost;
    v_quote.affordable := credits.affordable(v_price.price_id, v_price.cost, v_quote.available);
    return v_quote;
end
$$;
comment on function api.quote_tokens(text, jsonb, text) is
'What a use of a module would cost now, and whether the balance covers it. Writes nothing.

parts: how the cost is made up. For each dimension: the quantity, what it includes of parts that have no rate of their own
{dimension: quantity}, how much of it is free, the units charged (rounded up to whole units if whole_units), their price
or their tiers [{"above", "units", "price_per_unit"}], the minimum, and the charge. cost: the sum of the charges × margin ÷ exchange_rate, rounded up once, at the sixth decimal. affordable: the
greatest whole quantity that the tokens pay for, or, for a price of several dimensions, the number of such uses. Null
when it is free.

Raises PT404 unknown_module or unknown_user, PT422 bad_usage, PT403 not_yours, PT401 not_signed_in.';
