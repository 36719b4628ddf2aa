-- Whether a number is an amount. The raw number is checked, before a cast to credits.tokens could round it.
create or replace function credits.check_amount(p_amount numeric)
returns credits.tokens
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- NaN is greater than every number, and Infinity is greater than every bound: the upper bound refuses both.
    if p_amount is null or p_amount <= 0 or p_amount > 1000000000000 then
        perform credits.fail(422, 'bad_amount', 'an amount must be above 0 and at most 1000000000000');
    elsif scale(trim_scale(p_amount)) > 6 then
        perform credits.fail(422, 'bad_amount', 'an amount may have at most six decimals');
    end if;
    return p_amount;
end
$$;
comment on function credits.check_amount(numeric) is
'The amount, if it is above 0 and at most 10^12 and has at most six decimals. Raises PT422 bad_amount.';
