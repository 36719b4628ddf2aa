-- Amounts that can be bought without a pack.
create or replace view api.topups
with (security_invoker = true)
as
select
    t.currency,
    t.minimum,
    t.maximum,
    trim_scale(t.tokens_per_unit) as tokens_per_unit,
    coalesce((
        select
            jsonb_agg(jsonb_build_object(
                'amount', s.amount,
                'tokens', credits.topup_tokens(s.amount, t.tokens_per_unit),
                'popular', s.popular
            ) order by s.amount)
        from credits.topup_presets as s
        where s.currency = t.currency
    ), '[]') as presets,
    m.minor_digits,
    m.step
from credits.topups as t
inner join credits.currencies as m on t.currency = m.currency;

comment on view api.topups is 'Amounts that can be bought without a pack, where the price list offers it.';
comment on column api.topups.currency is 'ISO 4217, lower case.';
comment on column api.topups.minimum is 'Least amount for api.create_order, in minor units of the currency (cents).';
comment on column api.topups.maximum is 'Greatest amount.';
comment on column api.topups.tokens_per_unit is 'Tokens for one minor unit.';
comment on column api.topups.presets is
'Amounts to propose, the smallest first: [{"amount", "tokens", "popular"}].';
comment on column api.topups.minor_digits is
'How many decimals amounts have: in whole units of the currency, an amount is amount / 10^minor_digits.';
comment on column api.topups.step is
'Every amount must be a multiple of this: 1, or 10 or 100 where Stripe requires it.';
