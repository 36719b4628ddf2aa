-- Comments for people and for /schema. The tables themselves are in migrations/0005-prices.sql.
comment on table credits.dimensions is
'What usage can be measured in. A price that names anything else is a slip of the pen, and is refused.';
comment on column credits.dimensions.parent is
'The dimension that this one is a part of. A price that has no rate for this one charges it at the rate of the parent. '
'A parent has no parent, and is never changed.';

comment on table credits.prices is
'Versions of the price of a module, of a category, or (both null) of every other module. A version is never edited. It '
'ends where the next version for the same target begins.';
comment on column credits.prices.margin is 'Factor on the provider''s price: 1.05 adds five percent.';
comment on column credits.prices.exchange_rate is
'Units of the currency of the components for one unit of the balance: 1.08 when prices are in US cents and balances in '
'euro cents.';
comment on column credits.prices.origin is
'The list that the version was imported from, such as genai-prices. Null: a person wrote it, and imports keep it.';
comment on column credits.prices.defined_at is
'The transaction that wrote it. Two versions for one target from now on, in one file, are a mistake.';

comment on table credits.price_components is
'What a price charges for each dimension of usage (calls, seconds, input_tokens …).';
comment on column credits.price_components.unit_size is
'How much of the dimension one unit is: 1000000 for a price per million.';
comment on column credits.price_components.price_per_unit is 'Price of one unit, before margin and exchange rate.';
comment on column credits.price_components.tiered is 'Units above some number cost less or more: see price_tiers.';
comment on column credits.price_components.free_quantity is 'How much of the dimension costs nothing, per charge.';
comment on column credits.price_components.minimum_charge is
'The least charge of this component when more than the free quantity is used.';
comment on column credits.price_components.whole_units is
'True: a unit that was begun is charged whole. False: exact fractions are charged.';
comment on column credits.price_components.whole_quantity is
'True: a quantity that is not a whole number is refused, because there is no half call.';
comment on column credits.price_components.provider_cost is
'What the provider takes for one unit, in minor units of the currency of the components (the exchange rate converts it '
'into that of the price list). Used for margins. Not part of the charge.';

comment on table credits.price_tiers is
'Graduated tiers of a component, per charge. The units beyond `above` (counted after the free quantity) cost '
'price_per_unit, up to the next tier. The units below the first tier cost the price of the component.';

comment on table credits.price_list is
'The current price of each module on sale, its own or inherited, so that a spend needs one look-up. Follows '
'credits.prices.';
comment on column credits.price_list.price_source is
'module: the price is the module''s own. category: it is that of its category. default: it is that of every other '
'module.';
comment on column credits.price_list.valid_from is 'Since when price_id is in force.';
comment on column credits.price_list.valid_until is
'When a later version may begin. From then on the versions themselves are looked up.';
comment on column credits.price_list.call_cost is
'What one call costs, if the price counts calls and nothing else. A spend without a usage then needs no calculation.';
comment on column credits.price_list.least_cost is
'The least that a use costs, among the uses that cost something. Null when all uses are free.';
comment on column credits.price_list.dimension is
'For a price of one dimension that is so much for each unit, and nothing else: the dimension. Null for other prices.';
comment on column credits.price_list.numerator is
'A quantity costs quantity * numerator / denominator, rounded up.';
comment on column credits.price_list.whole_quantity is 'Whether the dimension is counted in whole numbers.';

comment on table credits.priced_targets is
'The targets of prices that price lists define without a time: module …, category … or default.';
comment on column credits.priced_targets.priced_at is
'The beginning of the transaction that last gave the target a price from now on. A second such price in the same '
'transaction is refused.';
