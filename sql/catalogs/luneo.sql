-- Luneo: credits per endpoint. Packs in euros. The id of a module is its path. The provider's cost is in euro cents.
-- The ids of prices at Stripe are configuration: PGCREDITS_STRIPE_PRICES.
select credits.define_catalog('luneo', 'Luneo', 'credit', 'eur');

-- What users are told. These lines come first because of the order of locks.
select credits.define_notice('low_balance', p_percent => 20);
select credits.define_notice('depleted');

select credits.define_module('/api/ai/generate', 'Generate');
select credits.define_module('/api/3d/render-highres', 'Render in high resolution');

select credits.define_price(
    '[{"dimension": "calls", "whole_quantity": true, "price_per_unit": 5, "provider_cost": 4}]',
    p_module_id => '/api/ai/generate'
);
select credits.define_price(
    '[{"dimension": "calls", "whole_quantity": true, "price_per_unit": 8, "provider_cost": 2}]',
    p_module_id => '/api/3d/render-highres'
);

select credits.define_pack('credits-100', '100 credits', 100, 1900, 'eur', p_position => 1);
select credits.define_pack('credits-500', '500 credits', 500, 7900, 'eur', p_position => 2);
select credits.define_pack('credits-1000', '1000 credits', 1000, 13900, 'eur', p_position => 3);
