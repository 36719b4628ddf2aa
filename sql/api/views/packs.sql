-- What can be bought, and how the packs compare. Everything that says how good a pack is, is computed.
create or replace view api.packs
with (security_invoker = true)
as
with compared as (
    select
        p.*,
        p.tokens + p.bonus_tokens as total,
        p.amount / (p.tokens + p.bonus_tokens) as unit_price,
        first_value(p.amount) over dearest_first as dearest_amount,
        first_value(p.tokens + p.bonus_tokens) over dearest_first as dearest_total,
        row_number() over (
            partition by p.currency
            order by p.amount / (p.tokens + p.bonus_tokens), p.amount, p.position, p.pack_id
        ) as rank
    from credits.packs as p
    where p.active
    window dearest_first as (partition by p.currency order by p.amount / (p.tokens + p.bonus_tokens) desc)
)

select
    c.pack_id,
    c.title as package_name,
    trim_scale(c.tokens) as tokens,
    trim_scale(c.bonus_tokens) as bonus_tokens,
    c.amount,
    c.currency,
    c.popular,
    c.position,
    credits.interval_text(c.expires_after) as expires_after,
    trim_scale(round(c.unit_price, 6)) as amount_per_token,
    -- Rounded down, so that the saving is never overstated. div is exact.
    trim_scale(div(
        (c.total * c.dearest_amount - c.amount * c.dearest_total) * 10000, c.total * c.dearest_amount
    ) / 100.00) as saving_percent,
    c.rank = 1 and c.total * c.dearest_amount > c.amount * c.dearest_total as best_value,
    c.scope,
    round(c.amount / power(10::numeric, m.minor_digits), m.minor_digits::integer) as price
from compared as c
inner join credits.currencies as m on c.currency = m.currency
order by c.position, c.pack_id;

comment on view api.packs is 'What can be bought. position gives the order.';
comment on column api.packs.pack_id is 'Name for api.create_order.';
comment on column api.packs.package_name is 'Title.';
comment on column api.packs.tokens is 'Tokens in it.';
comment on column api.packs.bonus_tokens is 'Tokens that come free with these.';
comment on column api.packs.amount is 'Price in the unit that Stripe counts the currency in (cents).';
comment on column api.packs.currency is 'ISO 4217, lower case.';
comment on column api.packs.popular is 'Whether this is the pack to show first.';
comment on column api.packs.position is 'Order of display.';
comment on column api.packs.expires_after is 'How long the tokens last. Null when they never expire.';
comment on column api.packs.amount_per_token is
'Minor units of the currency for one token, including the bonus, to six decimals.';
comment on column api.packs.saving_percent is
'By how many percent a token is cheaper than in the dearest pack of the same currency, rounded down to two decimals.';
comment on column api.packs.best_value is
'Whether its tokens are the cheapest in its currency, and cheaper than those of another pack. True for one pack at '
'most.';
comment on column api.packs.scope is
'module:ID or category:ID that its tokens are bound to. Null when the buyer may choose, or leave them unbound.';
comment on column api.packs.price is
'amount in whole units of the currency, for display: 39.99. Not every currency has hundredths.';
