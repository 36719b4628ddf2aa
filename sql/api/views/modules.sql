-- What tokens can be spent on, and at which price.
create or replace view api.modules
with (security_invoker = true)
as
select
    m.module_id,
    m.title,
    m.category_id,
    c.title as category_title,
    credits.module_price(m.module_id) as price
from credits.modules as m
left join credits.module_categories as c on m.category_id = c.category_id
where m.active
order by m.category_id, m.module_id;

comment on view api.modules is 'What tokens can be spent on.';
comment on column api.modules.module_id is 'The name to pass to api.consume_tokens.';
comment on column api.modules.title is 'Title.';
comment on column api.modules.category_id is 'The category of the module.';
comment on column api.modules.category_title is 'Title of the category.';
comment on column api.modules.price is
'The price valid now: {"price_id", "margin", "exchange_rate", "components": [{"dimension", "unit_size", '
'"price_per_unit", "free_quantity", "whole_units", "whole_quantity", "minimum_charge", '
'"tiers": [{"above", "price_per_unit"}]}]}; '
'null if it is not for sale.';
