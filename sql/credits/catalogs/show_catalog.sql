-- The price lists of the bank as lines of text, so that they can be compared before and after.
create or replace function credits.show_catalog()
returns setof text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
select format('catalog %s %s', c.catalog_id, to_jsonb(c) - 'catalog_id' - 'applied_at')
from credits.catalogs as c
union all
select format('dimension %s %s', d.dimension, to_jsonb(d) - 'dimension')
from credits.dimensions as d
union all
select format('category %s %s', c.category_id, to_jsonb(c) - 'category_id')
from credits.module_categories as c
union all
select format('module %s %s', m.module_id, to_jsonb(m) - 'module_id')
from credits.modules as m
union all
select
    format(
        'price of %s%s %s',
        coalesce('module ' || p.module_id, 'category ' || p.category_id, 'any other module'),
        case when p.valid_from > credits.clock() then ' from ' || credits.utc_text(p.valid_from) else '' end,
        jsonb_build_object(
            'margin', trim_scale(p.margin), 'exchange_rate', trim_scale(p.exchange_rate),
            'components', credits.components_as_json(p.price_id)
        ) || case when p.origin is null then '{}' else jsonb_build_object('origin', p.origin) end
    )
from credits.prices as p
where
    not exists (
        select
        from credits.prices as later
        where
            later.module_id is not distinct from p.module_id
            and later.category_id is not distinct from p.category_id
            and later.valid_from > p.valid_from and later.valid_from <= credits.clock()
    )
union all
select format('pack %s %s', k.pack_id, to_jsonb(k) - 'pack_id')
from credits.packs as k
union all
select format('plan %s %s', p.plan_id, to_jsonb(p) - 'plan_id' || (to_jsonb(t) - array['plan_id', 'version', 'defined_at']))
from credits.plans as p
cross join lateral credits.plan_terms(p.plan_id) as t
union all
select format('topup in %s %s', t.currency, to_jsonb(t) - 'currency')
from credits.topups as t
union all
select format('topup preset %s %s %s', t.currency, t.amount, to_jsonb(t) - 'currency' - 'amount')
from credits.topup_presets as t
union all
select format('campaign %s %s', c.campaign_id, to_jsonb(c) - 'campaign_id' - 'grants')
from credits.campaigns as c
union all
select format('code %s %s', c.code, to_jsonb(c.campaign_id))
from credits.codes as c
where c.referrer_id is null
union all
select format('guest limits of %s %s', g.catalog_id, to_jsonb(g) - 'catalog_id')
from credits.guest_limits as g
union all
select format('notice %s %s', n.kind, to_jsonb(n) - 'kind')
from credits.notice_rules as n
$$;
comment on function credits.show_catalog() is
'Everything that price lists have defined, one line for each definition: its kind, its name, and what it says, as '
'JSON. Prices are those in force and those to come.';
