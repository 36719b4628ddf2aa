-- Price ids at Stripe belong to the operator, not to the price list. `pgcredits catalog apply` hands them to its
-- transaction as a setting.

create or replace function credits.configured_stripe_price(p_id text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return nullif(current_setting('pgcredits.stripe_prices', true), '')::jsonb ->> p_id;
end
$$;
comment on function credits.configured_stripe_price(text) is
'The id of the price at Stripe that the operator has configured for a pack or a plan. Null when none '
'is.';

create or replace function credits.check_stripe_prices()
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_wrong record;
begin
    select
        k.id,
        s.plans + s.packs as sold
    into v_wrong
    from jsonb_object_keys(nullif(current_setting('pgcredits.stripe_prices', true), '')::jsonb) as k (id)
    cross join
        lateral (
            select
                (select count(*) from credits.packs as p where p.pack_id = k.id) as packs,
                (select count(*) from credits.plans as p where p.plan_id = k.id) as plans
        ) as s
    where s.plans + s.packs <> 1
    order by k.id
    limit 1;
    if (v_wrong.sold = 0) is true then
        perform credits.refuse_line('stripe price of pack or plan', v_wrong.id, 'no such pack or plan');
    elsif (v_wrong.sold > 1) is true then
        perform credits.refuse_line('stripe price of', v_wrong.id, 'a pack and a plan have this id: rename one of them');
    end if;
end
$$;
comment on function credits.check_stripe_prices() is
'Called after a price list was applied: checks that every configured Stripe price is of one pack or one plan. Raises '
'PT422 bad_catalog.';
