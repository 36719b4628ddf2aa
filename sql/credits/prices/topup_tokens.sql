-- How many tokens an amount of money buys. The number is rounded down at ledger scale, so that it is never more than
-- was paid for.
create or replace function credits.topup_tokens(amount bigint, tokens_per_unit numeric)
returns numeric
language sql
immutable
return trim_scale(trunc(amount * tokens_per_unit, 6));
comment on function credits.topup_tokens(bigint, numeric) is
'The tokens of a top-up of amount (minor units), rounded down at ledger scale.';
