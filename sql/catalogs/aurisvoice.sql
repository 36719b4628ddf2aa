-- AurisVoice: dubbing. One credit for every ten seconds begun. Packs in euros.
select credits.define_catalog('aurisvoice', 'AurisVoice', 'credit', 'eur');

-- What users are told. These lines come first because of the order of locks.
select credits.define_notice('depleted');

select credits.define_module('dubbing', 'Dubbing');
select credits.define_price(
    '[{"dimension": "seconds", "unit_size": 10, "whole_units": true, "price_per_unit": 1}]',
    p_module_id => 'dubbing'
);

select credits.define_pack('credits-15', '15 credits', 15, 500, 'eur', p_position => 1);
select credits.define_pack('credits-60', '60 credits', 60, 1500, 'eur', p_position => 2, p_popular => true);
select credits.define_pack('credits-150', '150 credits', 150, 3000, 'eur', p_position => 3);

-- What is given away: 10 credits to start with.
select credits.define_campaign('aurisvoice-welcome', 'welcome', 'Welcome credits', 10);
