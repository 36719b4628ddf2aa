-- What an event says about the money of a Checkout session. A member that is left out or null says nothing. A member
-- that is not a whole number of minor units, as Stripe writes amounts, is never treated as if it said nothing.

create or replace function credits.stripe_amount(p_amount jsonb)
returns numeric
language sql
immutable
parallel safe
return case
    -- CASE prevents the cast of anything that is not a number.
    when (jsonb_typeof(p_amount) = 'number') is not true then null
    when (p_amount::numeric = trunc(p_amount::numeric) and p_amount::numeric between 0 and 999999999999) is true
        then p_amount::numeric
end;
comment on function credits.stripe_amount(jsonb) is
'An amount at Stripe, in minor units, if it is a whole number from 0 to below 10^12; otherwise null.';

create or replace function credits.session_discount(p_session jsonb)
returns numeric
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_discount constant jsonb := coalesce(p_session #> '{total_details,amount_discount}', 'null');
begin
    return case when v_discount = 'null' then 0 else credits.stripe_amount(v_discount) end;
end
$$;
comment on function credits.session_discount(jsonb) is
'The discount on a session, in minor units. 0 if it names no discount, null if its discount cannot be read.';

create or replace function credits.money_problem(p_session jsonb, p_amount bigint)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_details constant jsonb := coalesce(p_session -> 'total_details', 'null');
    v_discount constant numeric := credits.session_discount(p_session);
    v_shipping constant numeric := coalesce(credits.stripe_amount(v_details -> 'amount_shipping'), 0);
    v_tax constant numeric := coalesce(credits.stripe_amount(v_details -> 'amount_tax'), 0);
    v_net constant numeric := p_amount - v_discount + v_shipping;
    v_total constant numeric := coalesce(credits.stripe_amount(p_session -> 'amount_total'), v_net + v_tax);
    v_odd constant text := (
        select min(format('%s %s', s.name, s.amount))
        from (
            values
            ('amount_total', p_session -> 'amount_total'),
            ('amount_shipping', v_details -> 'amount_shipping'),
            ('amount_tax', v_details -> 'amount_tax')
        ) as s (name, amount)
        where coalesce(s.amount, 'null') <> 'null' and credits.stripe_amount(s.amount) is null
    );
begin
    return case
        -- The subtotal is the price of what was sold, before discounts and taxes.
        when p_session -> 'amount_subtotal' is distinct from to_jsonb(p_amount)
            then format('subtotal %s, ordered for %s', p_session ->> 'amount_subtotal', p_amount)
        when jsonb_typeof(v_details) not in ('object', 'null') then format('total_details %s', v_details)
        -- The discount decides what a token cost.
        when (v_discount <= p_amount) is not true
            then format('a discount of %s on %s', v_details -> 'amount_discount', p_amount)
        when v_odd is not null then v_odd
        -- A tax is included in the prices or comes on top of them: the session does not say which. With shipping, it
        -- may be included in one of the two and come on top of the other.
        when (
            v_total = v_net or v_total = v_net + v_tax or (v_shipping > 0 and v_total between v_net and v_net + v_tax)
        ) is not true
            then format(
                'a total of %s: ordered for %s, discount %s, tax %s, shipping %s',
                v_total, p_amount, v_discount, v_tax, v_shipping
            )
        when (p_session -> 'payment_status' = '"no_payment_required"' and v_total > 0) is true
            then format('no payment required, of a total of %s', v_total)
    end;
end
$$;
comment on function credits.money_problem(jsonb, bigint) is
'Why the money of a paid session is not what was asked for an amount (minor units), less the discount that the session '
'names. Null when it is.';
