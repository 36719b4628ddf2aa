-- Which terms a price at Stripe stands for.

create or replace function credits.plan_of_price(p_price_id text)
returns credits.plan_versions
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_terms credits.plan_versions;
begin
    select v.* into v_terms
    from credits.plan_versions as v
    where v.stripe_price_id = p_price_id
    order by v.version desc
    limit 1;
    return v_terms;
end
$$;
comment on function credits.plan_of_price(text) is
'The newest terms of the plan that has this price at Stripe. Nulls when no plan has it.';

-- The HTTP API names plan and version in the metadata of a subscription that it opens. They count while the plan had no
-- price at Stripe: then each checkout makes a price of its own.
create or replace function credits.plan_of_metadata(p_metadata jsonb)
returns credits.plan_versions
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_terms credits.plan_versions;
begin
    select v.* into v_terms
    from credits.plan_versions as v
    where
        v.plan_id = p_metadata ->> 'plan_id' and v.version::text = p_metadata ->> 'plan_version'
        and v.stripe_price_id is null and v.amount > 0;
    return v_terms;
end
$$;
comment on function credits.plan_of_metadata(jsonb) is
'The terms that the metadata of a subscription name, if they have no price at Stripe. Nulls when they name none.';

-- The lines of an invoice that are about a plan, with its terms.
create or replace function credits.plan_lines(p_invoice jsonb)
returns table (
    plan_id text, version bigint, allowance numeric, price bigint, currency text, trial_allowance numeric,
    amount numeric, discount numeric, quantity numeric, proration boolean, starts_at timestamptz, ends_at timestamptz,
    cancelled_id text
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_named credits.plan_versions;
begin
    -- The metadata stand for the price only if nothing else can: no price is known, and there is one price.
    if (
        select count(distinct coalesce(l.price_id, '')) = 1
            and count(t.plan_id) = 0
        from credits.invoice_lines(p_invoice) as l
        left join lateral credits.plan_of_price(l.price_id) as t on true
    ) then
        v_named := credits.plan_of_metadata(credits.subscription_metadata(p_invoice));
    end if;
    return query
    select
        t.plan_id, t.version, t.allowance::numeric, t.amount, t.currency, t.trial_allowance::numeric,
        l.amount, l.discount, l.quantity, l.proration, l.starts_at, l.ends_at,
        case
            when (l.amount < 0 and l.subscription_id <> credits.invoice_subscription(p_invoice)) is true
                then l.subscription_id
        end
    from credits.invoice_lines(p_invoice) as l
    cross join lateral (
        select p.* from credits.plan_of_price(l.price_id) as p where p.plan_id is not null
        union all
        select v_named.* where v_named.plan_id is not null
    ) as t;
end
$$;
comment on function credits.plan_lines(jsonb) is
'The lines of an invoice whose price is a plan''s, with the terms of that plan. price: of one unit for a whole period. '
'cancelled_id: the subscription that a credit is of, if it is not the invoice''s own.';
