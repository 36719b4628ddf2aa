-- What stands where, for people and for /schema: the shape itself is in migrations/0006-packs.sql.
comment on table credits.packs is 'What can be bought.';
comment on column credits.packs.scope is
'module:ID or category:ID that its tokens are bound to; null: what the buyer chooses, or any.';
comment on column credits.packs.expires_after is 'Life of the tokens after payment; null: they never expire.';
comment on column credits.packs.amount is 'Price in the minor unit of the currency (cents).';
comment on column credits.packs.stripe_price_id is
'Price object at Stripe (price_…), where one is configured; else the amount is sent.';

comment on table credits.topups is 'Buying any amount between two bounds, where the catalogue offers it.';
comment on column credits.topups.tokens_per_unit is 'Tokens for one minor unit of the currency.';

comment on table credits.topup_presets is 'Amounts of a top-up to propose, in minor units of currency.';
