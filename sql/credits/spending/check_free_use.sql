-- Users cannot fill the ledger with rows that cost nothing. A service may write such rows.
create or replace function credits.check_free_use(
    p_price_id bigint, p_account_id uuid default null, p_at timestamptz default null
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_dimensions constant text[] := array(
        select c.dimension from credits.price_components as c where c.price_id = p_price_id order by c.dimension
    );
begin
    if credits.is_spender() is true then
        return;
    elsif (credits.unit_cost(p_price_id) = 0) is true then
        if p_account_id is not null then
            perform credits.make_unpaid(p_account_id, p_at);
        end if;
        return;
    end if;
    perform credits.fail(
        422, 'bad_usage', 'this use costs nothing, though a whole unit costs something: only a service may charge it',
        json_build_object('dimensions', v_dimensions)
    );
end
$$;
comment on function credits.check_free_use(bigint, uuid, timestamptz) is
'Refuses a user''s use that costs 0, unless a whole unit of each dimension costs 0. If so, and if p_account_id names '
'a locked wallet, the use counts as unpaid. Raises PT422 bad_usage, PT429 unpaid_limit.';

create or replace function credits.unit_cost(p_price_id bigint)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select
            sum(
                p.margin * credits.tiered_charge(
                    c.unit_size, c.unit_size, c.price_per_unit, c.free_quantity, c.whole_units, c.minimum_charge,
                    credits.tiers_of(c.price_id, c.dimension)
                )
            )
        from credits.price_components as c
        join credits.prices as p on c.price_id = p.price_id
        where c.price_id = p_price_id
    );
end
$$;
comment on function credits.unit_cost(bigint) is
'What one whole unit (unit_size) of each dimension costs under a price, before the exchange rate and multiplied by the '
'unit sizes. Only good for a comparison with 0.';
