-- The inverse of a price: how much can be used for so many tokens. It is found by halving, with the charge itself. The
-- charge grows with the quantity, whatever the price is made of, so no second formula is needed that could disagree.
create or replace function credits.affordable(p_price_id bigint, p_cost numeric, p_tokens numeric)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_price record;
    v_tiers credits.price_tiers[];
    v_most numeric;
    v_charge numeric;
    v_middle numeric;
    -- The greatest quantity that can be paid lies between these two. A quantity is at most 10^15.
    v_low numeric := 0;
    v_high numeric := 1000000000000001;
    v_charge_of_low numeric := 0;
begin
    -- 1. Several dimensions: count whole repeats of the use that was priced.
    if (select count(*) from credits.price_components as c where c.price_id = p_price_id) > 1 then
        return div(p_tokens, nullif(p_cost, 0));
    end if;

    -- 2. The most that the component may charge, in the fractions of credits.charge, where nothing is divided or
    --    rounded. Tokens have ledger scale, so a cost is within them exactly if its rounding is. No use costs more than
    --    10^12.
    select c.*, p.margin, p.exchange_rate into strict v_price
    from credits.price_components as c
    join credits.prices as p on c.price_id = p.price_id
    where c.price_id = p_price_id;
    v_most := least(coalesce(p_tokens, 0), 1000000000000) * v_price.unit_size * v_price.exchange_rate;
    if v_price.tiered then
        v_tiers := credits.tiers_of(p_price_id, v_price.dimension);
    end if;

    -- 3. Fifty halvings.
    while v_high - v_low > 1 loop
        v_middle := div(v_low + v_high, 2);
        v_charge := v_price.margin * case
            when v_price.tiered
                then
                    credits.tiered_charge(
                        v_middle, v_price.unit_size, v_price.price_per_unit, v_price.free_quantity,
                        v_price.whole_units, v_price.minimum_charge, v_tiers
                    )
            else
                credits.charge(
                    v_middle, v_price.unit_size, v_price.price_per_unit, v_price.free_quantity,
                    v_price.whole_units, v_price.minimum_charge
                )
        end;
        if (v_charge <= v_most) is true then
            v_low := v_middle;
            v_charge_of_low := v_charge;
        else
            v_high := v_middle;
        end if;
    end loop;

    -- 4. Any quantity is free.
    if v_low = 1000000000000000 and v_charge_of_low = 0 then
        return null;
    end if;
    return v_low;
end
$$;
comment on function credits.affordable(bigint, numeric, numeric) is
'How much p_tokens pay for: the greatest whole quantity of the price''s one dimension, at most 10^15, or, if it has '
'several, how many uses that cost p_cost. Null when any quantity is free.';
