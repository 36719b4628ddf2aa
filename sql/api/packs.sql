-- What can be bought.
create or replace view api.packs
with (security_invoker = true)
as
select
    p.pack_id,
    p.title as package_name,
    trim_scale(p.tokens) as tokens,
    trim_scale(p.bonus_tokens) as bonus_tokens,
    p.amount,
    p.currency,
    p.popular,
    p.position,
    p.expires_after::text as expires_after
from credits.packs as p
where p.active
order by p.position, p.pack_id;

comment on view api.packs is 'What can be bought, in the order of the catalogue.';
comment on column api.packs.pack_id is 'Name for api.create_order.';
comment on column api.packs.package_name is 'Title.';
comment on column api.packs.tokens is 'Tokens in it.';
comment on column api.packs.bonus_tokens is 'Tokens that come free with them.';
comment on column api.packs.amount is 'Price in minor units of currency (cents).';
comment on column api.packs.currency is 'ISO 4217, lower case.';
comment on column api.packs.popular is 'The one to show first.';
comment on column api.packs.position is 'Order of display.';
comment on column api.packs.expires_after is 'Life of the tokens; null: they never expire.';
