-- Price ids at Stripe belong to the operator, not to the price list. `pgcredits catalog apply` hands them to its
-- transaction as a setting.

create or replace function credits.configured_stripe_price(p_pack_id text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return nullif(current_setting('pgcredits.stripe_prices', true), '')::jsonb ->> p_pack_id;
end
$$;
comment on function credits.configured_stripe_price(text) is
'The id of the price at Stripe that the operator has configured for a pack. Null when no price is configured.';

create or replace function credits.check_stripe_prices()
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_unknown constant text := (
        select min(k.pack_id)
        from jsonb_object_keys(nullif(current_setting('pgcredits.stripe_prices', true), '')::jsonb) as k (pack_id)
        where not exists (select from credits.packs as p where p.pack_id = k.pack_id)
    );
begin
    if v_unknown is not null then
        perform credits.refuse_line('stripe price of pack', v_unknown, 'no such pack');
    end if;
end
$$;
comment on function credits.check_stripe_prices() is
'Called after a price list was applied: checks that every pack with a configured Stripe price exists. Raises PT422 '
'bad_catalog.';
