-- The currencies that Stripe takes payments in, and the amounts that it charges. Amounts are in the unit that Stripe
-- counts in.

create or replace function credits.money(p_amount bigint, p_currency text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_digits constant integer := (select c.minor_digits from credits.currencies as c where c.currency = p_currency);
begin
    return format('%s %s', round(p_amount / power(10::numeric, v_digits), v_digits), upper(p_currency));
end
$$;
comment on function credits.money(bigint, text) is
'An amount of minor units for people: 3999, eur is 39.99 EUR; 5000, ugx is 50.00 UGX.';

create or replace function credits.charge_problem(p_amount bigint, p_currency text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_currency credits.currencies;
begin
    select c.* into v_currency from credits.currencies as c where c.currency = p_currency;
    return case
        when v_currency.currency is null
            then format('Stripe takes no payments in %L: ISO 4217, lower case', p_currency)
        when (p_amount % v_currency.step <> 0) is true
            then format(
                'Stripe charges only multiples of %s, not %s (%s)',
                credits.money(v_currency.step, p_currency), credits.money(p_amount, p_currency), p_amount
            )
        when (p_amount < v_currency.minimum) is true
            then format(
                'Stripe charges at least %s, not %s (%s)',
                credits.money(v_currency.minimum, p_currency), credits.money(p_amount, p_currency), p_amount
            )
        when (p_amount < v_currency.rough_minimum) is true
            then format(
                'Stripe charges nothing that is worth less than about 0.50 USD, and to Stripe %s means %s',
                p_amount, credits.money(p_amount, p_currency)
            )
        when (p_amount > v_currency.maximum) is true
            then format(
                'Stripe charges at most %s, not %s (%s)',
                credits.money(v_currency.maximum, p_currency), credits.money(p_amount, p_currency), p_amount
            )
    end;
end
$$;
comment on function credits.charge_problem(bigint, text) is
'Why Stripe would not charge this amount. Null when it would, according to its documentation, or could, where that '
'depends on the exchange rate of the day; null also for a null amount.';

create or replace function credits.check_currency(p_currency text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_currency is not null
        and not exists (select from credits.currencies as c where c.currency = p_currency) then
        perform credits.fail(422, 'bad_catalog', credits.charge_problem(null, p_currency));
    end if;
end
$$;
comment on function credits.check_currency(text) is
'Checks that p_currency is null or a currency that Stripe takes payments in. Raises PT422 bad_catalog.';

create or replace function credits.check_charge(p_amount bigint, p_currency text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_problem constant text := credits.charge_problem(p_amount, p_currency);
begin
    -- If one of the two is missing, the table refuses the row.
    if p_currency is not null and v_problem is not null then
        perform credits.fail(422, 'bad_catalog', v_problem);
    end if;
end
$$;
comment on function credits.check_charge(bigint, text) is
'Checks that Stripe would charge this amount; null passes. Raises PT422 bad_catalog.';
