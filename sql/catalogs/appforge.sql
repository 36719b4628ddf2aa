-- AppForge: prepaid euro cents for LLM tokens. The provider's prices are US cents per million tokens, with a margin of
-- five percent and 1.08 US dollars per euro. An unknown model has no price: its use is refused, not billed as another
-- model.
select credits.define_catalog('appforge', 'AppForge', 'euro cent', 'eur');

-- What users are told. These lines come first because of the order of locks.
select credits.define_notice('low_balance', p_below => 200);
select credits.define_notice('depleted');
select credits.define_notice('expiring_soon', p_ahead => '7 days');

select credits.define_category('llm', 'Language models');
select credits.define_module('claude-sonnet-4', 'Claude Sonnet 4', 'llm');
select credits.define_module('gpt-4o', 'GPT-4o', 'llm');

select credits.define_price(
    '[{"dimension": "input_tokens", "unit_size": 1000000, "price_per_unit": 300, "provider_cost": 300},
      {"dimension": "output_tokens", "unit_size": 1000000, "price_per_unit": 1500, "provider_cost": 1500}]',
    p_module_id => 'claude-sonnet-4', p_margin => 1.05, p_exchange_rate => 1.08
);
select credits.define_price(
    '[{"dimension": "input_tokens", "unit_size": 1000000, "price_per_unit": 250, "provider_cost": 250},
      {"dimension": "output_tokens", "unit_size": 1000000, "price_per_unit": 1000, "provider_cost": 1000}]',
    p_module_id => 'gpt-4o', p_margin => 1.05, p_exchange_rate => 1.08
);

-- Any amount from 5 to 1000 euros, to the cent.
select credits.define_topup('eur', 500, 100000, 1);
select credits.define_topup_preset('eur', 500);
select credits.define_topup_preset('eur', 1000, p_popular => true);
select credits.define_topup_preset('eur', 2500);
select credits.define_topup_preset('eur', 5000);

-- Plans: credit for each month, cheaper than a top-up of it. A user's own money is never touched by a renewal.
select credits.define_plan('free', 'FREE', 100, p_currency => 'eur');
select credits.define_plan('starter', 'STARTER', 1000, 900, 'eur', p_position => 1);
select credits.define_plan(
    'pro', 'PRO', 3500, 2900, 'eur', p_rollover_percent => 50, p_trial_days => 14, p_trial_allowance => 200,
    p_popular => true, p_position => 2
);
select credits.define_plan(
    'team', 'TEAM', 13000, 9900, 'eur', p_rollover_cap => 13000, p_rollover_expires_after => '3 months', p_position => 3
);

-- What is given away: 10 euros at sign-up, and 5 euros to each of two users when one brings the other and the other
-- tops up.
select credits.define_campaign('appforge-sign-up', 'welcome', 'Sign-up bonus', 1000);
select credits.define_campaign('appforge-referral', 'referral', 'Bring a friend', 500, 500, p_per_account => 20);
