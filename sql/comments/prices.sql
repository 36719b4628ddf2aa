-- What stands where, for people and for /schema: the shape itself is in migrations/0005-prices.sql.
comment on table credits.dimensions is
'What usage can be measured in. A price of anything else is a slip of the pen and is refused.';

comment on table credits.prices is
'Versions of the price of a module, of a category, or (both null) of any other module. Never edited: a version ends '
'where the next one of the same target begins.';
comment on column credits.prices.margin is 'Factor on the provider''s price: 1.05 adds five percent.';
comment on column credits.prices.exchange_rate is
'Units of the component prices'' currency for one unit of the balance: 1.08 when prices are US cents and balances '
'euro cents.';
comment on column credits.prices.defined_at is
'The transaction that wrote it: two versions of one target from now on, in one catalogue file, are a mistake.';

comment on table credits.price_components is
'What a price charges for each dimension of usage (calls, seconds, input_tokens …).';
comment on column credits.price_components.unit_size is
'How much of the dimension one unit is: 1000000 for a price per million.';
comment on column credits.price_components.price_per_unit is 'Price of one unit, before margin and exchange rate.';
comment on column credits.price_components.tiered is 'Units beyond some number cost less, or more: see price_tiers.';
comment on column credits.price_components.free_quantity is 'How much of the dimension costs nothing, per charge.';
comment on column credits.price_components.minimum_charge is
'Least charge of this component, when more than the free quantity is used.';
comment on column credits.price_components.whole_units is
'True: units begun are charged whole. False: exact fractions.';
comment on column credits.price_components.whole_quantity is
'True: a quantity that is no whole number is refused, as half a call is no call.';
comment on column credits.price_components.provider_cost is
'What the provider takes for one unit, in minor units of the component prices'' money (the exchange rate turns it '
'into the catalogue''s), for margins; not part of the charge.';

comment on table credits.price_tiers is
'Graduated tiers of a component, per charge: the units beyond `above` (counted after the free quantity) cost '
'price_per_unit, until the next tier. The units below the first tier cost the component''s own price.';

comment on table credits.price_list is
'The price in force of each module on sale, its own or inherited: one look-up for a spend. Follows credits.prices.';
comment on column credits.price_list.price_source is
'module: the price is the module''s own; category: its category''s; default: that of every other module.';
comment on column credits.price_list.valid_from is 'Since when price_id is in force.';
comment on column credits.price_list.valid_until is
'When a later version may begin: from then on the versions themselves are asked.';
comment on column credits.price_list.call_cost is
'What one call costs, where calls are all that the price counts: a spend that says no more need not calculate.';
comment on column credits.price_list.least_cost is
'The least that a use costs, of the uses that cost something; null when all are free.';
comment on column credits.price_list.dimension is
'Of a price that is so much for a unit, of one dimension, and nothing else: the dimension; null of other prices.';
comment on column credits.price_list.numerator is
'What a quantity is charged is quantity * numerator / denominator, up.';
comment on column credits.price_list.whole_quantity is 'The one dimension is counted in whole numbers.';
