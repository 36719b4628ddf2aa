-- Comments for people and for /schema. The tables themselves are in migrations/0003-currencies.sql.
comment on table credits.currencies is
'The currencies that Stripe takes payments in (docs.stripe.com/currencies), ISO 4217, lower case.';
comment on column credits.currencies.minor_digits is
'How many decimals the unit has that Stripe counts amounts in: 2 for cents, 0 where it counts whole units. Also 2 for '
'isk and ugx, which have no hundredths: their step is 100.';
comment on column credits.currencies.step is
'Every amount is a multiple of this: 100 where only whole units can be charged (isk, ugx), 10 where the last of three '
'digits must be 0 (bhd, jod, kwd, omr, tnd), otherwise 1.';
comment on column credits.currencies.minimum is
'Smallest charge, in minor units, for an account that is paid out in this currency. Null when Stripe does not name '
'one. For an account that is paid out in another currency the minimum of that currency applies, converted at the rate '
'of the day, which is not known here.';
comment on column credits.currencies.maximum is
'Largest charge, in minor units: as many digits as Stripe accepts; for lbp, cop, huf and jpy, those of payments by '
'card.';
comment on column credits.currencies.rough_minimum is
'Where Stripe lists no smallest charge: an amount, in minor units, that is worth less than Stripe charges anywhere. It '
'is about 0.25 USD at the rates of 2025, where Stripe requires about 0.50 USD at the rate of the day. It is too low on '
'purpose: it finds prices that are a hundred times too small, and refuses no price that could be paid.';
