-- A pack: so many tokens for so much money.
create or replace function credits.define_pack(
    p_pack_id text,
    p_title text,
    p_tokens numeric,
    p_amount bigint,
    p_currency text,
    p_bonus_tokens numeric default 0,
    p_popular boolean default false,
    p_position bigint default 0,
    p_expires_after interval default null,
    p_stripe_price_id text default null,
    p_active boolean default true,
    p_scope text default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- The file's price id, otherwise the operator's, otherwise the one that is there.
    v_stripe_price_id constant text := coalesce(p_stripe_price_id, credits.configured_stripe_price(p_pack_id));
begin
    perform credits.check_line(p_pack_id, p_title);
    perform credits.check_currency(p_currency);
    -- A pack that cannot be bought can always be withdrawn.
    if p_active is not false then
        perform credits.check_charge(p_amount, p_currency);
    end if;
    perform credits.check_scope(p_scope);
    if p_bonus_tokens is distinct from 0 then
        perform credits.check_amount(p_bonus_tokens);
    end if;
    -- Otherwise the payment would fail: no time is that far away.
    if (p_expires_after > interval '1000 years') is true then
        perform credits.fail(422, 'bad_catalog', 'tokens expire after 1000 years at most, or never');
    end if;
    if (v_stripe_price_id !~ '^price_[A-Za-z0-9_]{1,240}$') is true then
        perform credits.fail(422, 'bad_catalog', format('%L is not the id of a price at Stripe: price_…', v_stripe_price_id));
    end if;
    insert into credits.packs as p (
        pack_id, title, tokens, bonus_tokens, amount, currency, stripe_price_id, popular, position,
        expires_after, active, scope
    )
    values (
        p_pack_id, p_title, credits.check_amount(p_tokens), p_bonus_tokens, p_amount, p_currency, v_stripe_price_id,
        p_popular, p_position, p_expires_after, p_active, p_scope
    )
    on conflict (pack_id) do update
    set
        title = excluded.title, tokens = excluded.tokens, bonus_tokens = excluded.bonus_tokens,
        amount = excluded.amount, currency = excluded.currency,
        stripe_price_id = coalesce(excluded.stripe_price_id, p.stripe_price_id), popular = excluded.popular,
        position = excluded.position, expires_after = excluded.expires_after, active = excluded.active,
        scope = excluded.scope;
exception
    when check_violation or not_null_violation or numeric_value_out_of_range or sqlstate 'PT422' then
        perform credits.refuse_line('pack', p_pack_id, sqlerrm);
end
$$;
comment on function credits.define_pack(
    text, text, numeric, bigint, text, numeric, boolean, bigint, interval, text, boolean, text
) is
'Defines something that can be bought, for an amount that Stripe would charge, in the unit that Stripe counts the '
'currency in (cents; 5000 ugx are 50 shillings). p_scope (module:ID or category:ID) binds its tokens. '
'p_stripe_price_id: by default the one that the operator has configured, otherwise the one that is there stays. Orders '
'keep their own snapshot. Raises PT422 bad_catalog.';
