-- IAHome: tokens per module, packs in euros.
select credits.define_catalog('iahome', 'IAHome', 'token', 'eur');

-- Tokens of users who do nothing for two years. They are told 30 days before.
select credits.define_purge('2 years', '30 days');

select credits.define_category('image', 'Image');
select credits.define_category('audio', 'Audio');
select credits.define_category('video', 'Video');

select credits.define_module('stablediffusion', 'Stable Diffusion', 'image');
select credits.define_module('photoportfolio', 'Photo Portfolio', 'image');
select credits.define_module('whisper', 'Whisper', 'audio');
select credits.define_module('metube', 'MeTube', 'video');

select credits.define_price(
    '[{"dimension": "calls", "whole_quantity": true, "price_per_unit": 50}]', p_category_id => 'image'
);
select credits.define_price(
    '[{"dimension": "calls", "whole_quantity": true, "price_per_unit": 25}]', p_category_id => 'audio'
);
select credits.define_price(
    '[{"dimension": "calls", "whole_quantity": true, "price_per_unit": 10}]', p_category_id => 'video'
);
-- Every other module.
select credits.define_price('[{"dimension": "calls", "whole_quantity": true, "price_per_unit": 30}]');

select credits.define_pack('basique', 'Basique', 100, 999, 'eur', p_position => 1);
select credits.define_pack('standard', 'Standard', 500, 3999, 'eur', p_position => 2, p_popular => true);
select credits.define_pack('premium', 'Premium', 1000, 6999, 'eur', p_position => 3);
select credits.define_pack('entreprise', 'Entreprise', 5000, 29999, 'eur', p_position => 4);
