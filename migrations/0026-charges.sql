-- What Stripe charges in each currency: the smallest and the largest amount, and the step between amounts.
-- From docs.stripe.com/currencies ("Supported currencies"), sections "Minor units in API amounts", "Special cases" and
-- "Minimum and maximum charge amounts".
set local role credits_owner;

alter table credits.currencies
add column step bigint not null default 1,
add column minimum bigint,
add column maximum bigint not null default 99999999,
add constraint currencies_step_is_sane check (step in (1, 10, 100)),
add constraint currencies_minimum_is_sane check (minimum > 0 and minimum <= maximum and minimum % step = 0);

-- Stripe counts shillings of Uganda in hundredths, though there are none.
update credits.currencies set minor_digits = 2
where currency = 'ugx';
update credits.currencies set step = 100
where currency in ('isk', 'ugx');
update credits.currencies set step = 10
where minor_digits = 3;
update credits.currencies as c
set minimum = m.minimum
from (
    values
    ('aed', 200), ('aud', 50), ('bgn', 100), ('brl', 50), ('cad', 50), ('chf', 50), ('czk', 1500), ('dkk', 250),
    ('eur', 50), ('gbp', 30), ('hkd', 400), ('huf', 17500), ('inr', 50), ('jpy', 50), ('mxn', 1000), ('myr', 200),
    ('nok', 300), ('nzd', 50), ('pln', 200), ('ron', 200), ('sek', 300), ('sgd', 50), ('thb', 1000), ('usd', 50)
) as m (currency, minimum)
where c.currency = m.currency;
update credits.currencies as c
set maximum = m.maximum
from (
    values
    ('idr', 999999999999), ('lbp', 99999999999), ('cop', 9999999999), ('huf', 9999999999), ('jpy', 9999999999),
    ('inr', 999999999)
) as m (currency, maximum)
where c.currency = m.currency;

comment on column credits.currencies.minor_digits is
'Decimals of the unit that Stripe counts amounts in: 2 for cents, 0 where it counts whole units. 2 for isk and ugx '
'too, which have no hundredths: there step is 100.';
comment on column credits.currencies.step is
'Every amount is a multiple of it: 100 where only whole units can be charged (isk, ugx), 10 where the last of three '
'digits must be 0 (bhd, jod, kwd, omr, tnd), else 1.';
comment on column credits.currencies.minimum is
'Smallest charge, in minor units, to an account that is paid out in this currency. Null: Stripe names none. An account '
'that is paid out in another currency has that one''s minimum, converted at the rate of the day, which cannot be known '
'here.';
comment on column credits.currencies.maximum is
'Largest charge, in minor units: as many digits as Stripe takes, for lbp, cop, huf and jpy by card.';

-- The largest charge is the currency's now.
-- squawk-ignore ban-drop-constraint
alter table credits.packs drop constraint packs_amount_is_positive;
alter table credits.packs
add constraint packs_amount_is_positive check (amount > 0);
-- squawk-ignore ban-drop-constraint
alter table credits.topups drop constraint topups_bounds_are_sane;
alter table credits.topups
add constraint topups_bounds_are_sane check (minimum > 0 and maximum >= minimum);
-- squawk-ignore ban-drop-constraint
alter table credits.topup_presets drop constraint topup_presets_amount_is_positive;
alter table credits.topup_presets
add constraint topup_presets_amount_is_positive check (amount > 0);
