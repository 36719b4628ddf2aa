-- Comments for people and for /schema. The tables themselves are in migrations/0006-packs.sql.
comment on table credits.packs is 'What can be bought.';
comment on column credits.packs.scope is
'module:ID or category:ID that its tokens are bound to. Null when the buyer may choose, or leave them unbound.';
comment on column credits.packs.expires_after is
'How long the tokens last after the payment. Null when they never expire.';
comment on column credits.packs.amount is 'Price in the minor unit of the currency (cents).';
comment on column credits.packs.stripe_price_id is
'Price object at Stripe (price_…), if one is configured. Otherwise the amount is sent.';

comment on table credits.topups is
'Amounts that can be bought without a pack, between two bounds, where the price list offers it.';
comment on column credits.topups.tokens_per_unit is 'Tokens for one minor unit of the currency.';

comment on table credits.topup_presets is 'Amounts to propose for a top-up, in minor units of the currency.';
