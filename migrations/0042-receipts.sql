-- Receipts of captures say whose price was taken, and a repeated charge says what of it was given back since.
set local role credits_owner;

alter table credits.holds add column price_source text not null default 'module';
comment on column credits.holds.price_source is
'Whose price it keeps: module, category, or default, that of every other module.';
update credits.holds as h
set price_source = case when p.category_id is null then 'default' else 'category' end
from credits.prices as p
where h.price_id = p.price_id and p.module_id is null;

alter type api.spend_receipt add attribute refunded numeric;
comment on type api.spend_receipt is
'A charge: the entry, what it cost, the balance after it, and the lots it was taken from. price_source: module, '
'category or default, whose price it is. refunded: what of the cost has been given back; a repeated call tells it as '
'it is now.';
alter type api.capture_receipt
add attribute price_source text,
add attribute refunded numeric;
comment on type api.capture_receipt is
'A charge on a hold. cost = paid + shortfall; paid is the entry''s tokens, debt the part of it that no lot paid. '
'released: tokens that went back; held: tokens that the hold still keeps. price_source: module, category or default, '
'whose price the hold keeps. refunded: what of paid has been given back; a repeated call tells it as it is now.';
