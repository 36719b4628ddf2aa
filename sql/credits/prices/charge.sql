-- What a quantity costs. Nothing is divided or rounded before the end.

create or replace function credits.quantity(quantity jsonb)
returns numeric
language sql
immutable
return case
    -- CASE prevents the cast of anything that is not a number.
    when (jsonb_typeof(quantity) = 'number') is not true then null
    -- BETWEEN comes second: where it comes first, a dump spells it differently.
    when (scale(quantity::numeric) <= 30 and quantity::numeric between 0 and 1000000000000000) is true
        then quantity::numeric
end;
comment on function credits.quantity(jsonb) is
'A quantity of usage, if it is a number from 0 to 10^15 with at most 30 decimals; otherwise null.';

create or replace function credits.whole(quantity numeric)
returns numeric
language sql
immutable
return case when (quantity = trunc(quantity)) is true then quantity end;
comment on function credits.whole(numeric) is 'A quantity, if it is a whole number; otherwise null.';

create or replace function credits.charge(
    quantity numeric,
    unit_size numeric,
    price_per_unit numeric,
    free_quantity numeric,
    whole_units boolean,
    minimum_charge numeric
)
returns numeric
language sql
immutable
return case
    when quantity is null then null
    when (quantity <= free_quantity) is true then 0
    when whole_units is true
        then
            greatest(
                (div(quantity - free_quantity, unit_size) + (mod(quantity - free_quantity, unit_size) > 0)::integer)
                * price_per_unit,
                minimum_charge
            ) * unit_size
    else greatest((quantity - free_quantity) * price_per_unit, minimum_charge * unit_size)
end;
comment on function credits.charge(numeric, numeric, numeric, numeric, boolean, numeric) is
'What a component of a price takes for a quantity, before margin and exchange rate, times unit_size. Exact.';

create or replace function credits.ceil_tokens(numerator numeric, denominator numeric)
returns numeric
language sql
immutable
-- div and mod are exact. A division would round before the result is rounded up.
return (div(numerator * 1000000, denominator) + sign(mod(numerator * 1000000, denominator))) / 1000000.000000;
comment on function credits.ceil_tokens(numeric, numeric) is 'A quotient, rounded up at ledger scale.';
