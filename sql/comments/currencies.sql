-- What stands where, for people and for /schema: the shape itself is in migrations/0003-currencies.sql.
comment on table credits.currencies is
'The currencies that Stripe takes payments in (docs.stripe.com/currencies), ISO 4217, lower case.';
comment on column credits.currencies.minor_digits is
'Decimals of the unit that Stripe counts amounts in: 2 for cents, 0 where it counts whole units. 2 for isk and ugx '
'too, which have no hundredths: there step is 100.';
comment on column credits.currencies.step is
'Every amount is a multiple of it: 100 where only whole units can be charged (isk, ugx), 10 where the last of three '
'digits must be 0 (bhd, jod, kwd, omr, tnd), else 1.';
comment on column credits.currencies.minimum is
'Smallest charge, in minor units, to an account that is paid out in this currency. Null: Stripe names none. An '
'account that is paid out in another currency has that one''s minimum, converted at the rate of the day, which '
'cannot be known here.';
comment on column credits.currencies.maximum is
'Largest charge, in minor units: as many digits as Stripe takes, for lbp, cop, huf and jpy by card.';
comment on column credits.currencies.rough_minimum is
'Where Stripe lists no smallest charge: an amount, in minor units, that is worth less than Stripe charges anywhere. '
'It is about 0.25 USD at rates of 2025, where Stripe wants about 0.50 USD at the rate of the day. It is too low on '
'purpose: it finds prices that are a hundred times too small, and refuses none that could be paid.';
