-- Imagegen: credits per generated image, packs in US dollars with a bonus.
select credits.define_catalog('imagegen', 'Imagegen', 'credit', 'usd');

-- What users are told. These lines come first because of the order of locks.
select credits.define_notice('low_balance', p_below => 10);
select credits.define_notice('depleted');

select credits.define_module('nano-banana', 'Nano Banana');
select credits.define_module('flux-dev', 'Flux Dev');
select credits.define_module('lora-normal', 'LORA Normal');
select credits.define_module('lora-context', 'LORA Context');
select credits.define_module('gemini-flash', 'Gemini Flash');
select credits.define_module('nano-banana-pro', 'Nano Banana Pro');

select credits.define_price(
    '[{"dimension": "calls", "whole_quantity": true, "price_per_unit": 0.5}]', p_module_id => 'nano-banana'
);
select credits.define_price(
    '[{"dimension": "calls", "whole_quantity": true, "price_per_unit": 1}]', p_module_id => 'flux-dev'
);
select credits.define_price(
    '[{"dimension": "calls", "whole_quantity": true, "price_per_unit": 1}]', p_module_id => 'lora-normal'
);
select credits.define_price(
    '[{"dimension": "calls", "whole_quantity": true, "price_per_unit": 1}]', p_module_id => 'lora-context'
);
select credits.define_price(
    '[{"dimension": "calls", "whole_quantity": true, "price_per_unit": 1}]', p_module_id => 'gemini-flash'
);
select credits.define_price(
    '[{"dimension": "calls", "whole_quantity": true, "price_per_unit": 2}]', p_module_id => 'nano-banana-pro'
);

select credits.define_pack('credits-25', '25 credits', 25, 499, 'usd', p_position => 1);
select credits.define_pack('credits-110', '110 credits', 100, 1499, 'usd', 10, p_position => 2);
select credits.define_pack('credits-300', '300 credits', 250, 2999, 'usd', 50, p_position => 3);
select credits.define_pack('credits-650', '650 credits', 500, 4999, 'usd', 150, p_position => 4);

-- What is given away: 50 credits to start with, kept apart from those that are bought.
select credits.define_campaign('imagegen-welcome', 'welcome', 'Welcome credits', 50);

-- What guests may use: three images in any 24 hours.
select credits.define_guest_limits('imagegen', 3);
