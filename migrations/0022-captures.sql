-- Two shorter ways: tokens that are held in the head lot stay on the wallet's row, and a price that is so much for a
-- unit stands in the price list whole.
set local role credits_owner;

alter table credits.wallets
add column head_held credits.amount not null default 0,
add column head_keeps boolean not null default false;
comment on column credits.wallets.head_held is
'Tokens of head_lot that holds keep, here and not on the lot''s row, beside head_free.';
comment on column credits.wallets.head_keeps is
'Holds keep their tokens in the head: head_lot never expires, and no notice is due when they let go of them.';

alter table credits.price_list
add column dimension text,
add column numerator numeric,
add column denominator numeric,
add constraint price_list_is_linear_or_not check (num_nulls(dimension, numerator, denominator) in (0, 3));
comment on column credits.price_list.dimension is
'Of a price that is so much for a unit, of one dimension, and nothing else: the dimension; null of other prices.';
comment on column credits.price_list.numerator is
'What a quantity is charged is quantity * numerator / denominator, up.';

update credits.price_list as l
set dimension = u.dimension, numerator = u.numerator, denominator = u.denominator
from (
    select
        c.price_id,
        min(c.dimension) as dimension,
        min(c.price_per_unit * p.margin) as numerator,
        min(c.unit_size * p.exchange_rate) as denominator
    from credits.price_components as c
    inner join credits.prices as p on c.price_id = p.price_id
    group by c.price_id
    having
        count(*) = 1
        and bool_and(not c.tiered and c.free_quantity = 0 and not c.whole_units and c.minimum_charge = 0)
) as u
where u.price_id = l.price_id;

-- They learn of the head, and of one's own identity in fewer steps.
drop function if exists credits.lock_hold(uuid, uuid);
drop function if exists credits.post_entry(
    uuid, bigint, numeric, numeric, timestamptz, bytea, credits.entry_kind, numeric, jsonb, text, jsonb, bigint,
    text, jsonb, timestamptz, numeric, timestamptz, numeric
);
drop function if exists credits.tidy_after_release(uuid, jsonb, timestamptz);
drop function if exists credits.usage_less(jsonb, jsonb);
comment on column credits.holds.usage_left is
'Of this, what captures have not recorded yet; below 0 when they recorded more.';
