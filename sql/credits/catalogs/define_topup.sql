-- Buying any amount between two bounds. The presets are the lines that follow in the file: leaving a line out removes
-- its preset.

create or replace function credits.define_topup(
    p_currency text, p_minimum bigint, p_maximum bigint, p_tokens_per_unit numeric
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.check_charge(p_minimum, p_currency);
    perform credits.check_charge(p_maximum, p_currency);
    if (scale(p_tokens_per_unit) <= 30) is not true then
        perform credits.fail(422, 'bad_catalog', 'tokens_per_unit is a number with at most 30 decimals');
    elsif p_minimum is not null and p_maximum is not null then
        -- A payment always buys something.
        perform credits.check_amount(credits.topup_tokens(p_minimum, p_tokens_per_unit));
        perform credits.check_amount(credits.topup_tokens(p_maximum, p_tokens_per_unit));
    end if;
    delete from credits.topup_presets as s where s.currency = p_currency;
    insert into credits.topups as t (currency, minimum, maximum, tokens_per_unit)
    values (p_currency, p_minimum, p_maximum, p_tokens_per_unit)
    on conflict (currency) do update
    set minimum = excluded.minimum, maximum = excluded.maximum, tokens_per_unit = excluded.tokens_per_unit;
exception
    when check_violation or not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('topup', p_currency, sqlerrm);
end
$$;
comment on function credits.define_topup(text, bigint, bigint, numeric) is
'Offers to sell tokens for any amount that Stripe would charge between two bounds (minor units of the currency), at so '
'many tokens per minor unit. Removes the presets of this currency. Raises PT422 bad_catalog.';

create or replace function credits.define_topup_preset(
    p_currency text, p_amount bigint, p_popular boolean default false
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select
        from credits.topups as t
        where t.currency = p_currency and p_amount between t.minimum and t.maximum
    ) then
        perform credits.fail(422, 'bad_catalog', 'no top-up has this amount between its bounds');
    end if;
    perform credits.check_charge(p_amount, p_currency);
    insert into credits.topup_presets as s (currency, amount, popular) values (p_currency, p_amount, p_popular)
    on conflict (currency, amount) do update set popular = excluded.popular;
exception
    when not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('topup preset', concat_ws(' ', p_amount, p_currency), sqlerrm);
end
$$;
comment on function credits.define_topup_preset(text, bigint, boolean) is
'Defines an amount to propose for a top-up (minor units of the currency), between its bounds. Raises PT422 '
'bad_catalog.';
