-- Prices: the dimensions that exist, graduated tiers, and which transaction defined a version.
set local role credits_owner;

create table credits.dimensions (
    dimension text not null,
    description text not null,
    constraint dimensions_pkey primary key (dimension),
    constraint dimensions_name_is_sane check (dimension ~ '^[a-z][a-z0-9_]{0,62}$')
);
comment on table credits.dimensions is
'What usage can be measured in. A price of anything else is a slip of the pen and is refused.';
insert into credits.dimensions (dimension, description) values
('calls', 'calls, whatever they do'),
('seconds', 'seconds of audio or video'),
('minutes', 'minutes of audio or video'),
('images', 'pictures made'),
('characters', 'characters of text'),
('pages', 'pages of a document'),
('bytes', 'bytes stored or moved'),
('input_tokens', 'tokens that a language model reads'),
('cached_input_tokens', 'tokens that it reads from its cache'),
('output_tokens', 'tokens that it writes'),
('reasoning_tokens', 'tokens that it thinks');
insert into credits.dimensions (dimension, description)
select distinct
    c.dimension,
    'of an earlier price' as description
from credits.price_components as c
on conflict do nothing;

alter table credits.price_components
add constraint price_components_dimension_fkey foreign key (dimension) references credits.dimensions (dimension),
add column tiered boolean not null default false;
create index price_components_dimension_idx on credits.price_components (dimension);
comment on column credits.price_components.tiered is 'Units beyond some number cost less, or more: see price_tiers.';
comment on column credits.price_components.provider_cost is
'What the provider takes for one unit, in minor units of the component prices'' money (the exchange rate turns it '
'into the catalogue''s), for margins; not part of the charge.';

create table credits.price_tiers (
    price_id bigint not null,
    dimension text not null,
    above numeric not null,
    price_per_unit numeric not null,
    constraint price_tiers_pkey primary key (price_id, dimension, above),
    constraint price_tiers_component_fkey foreign key (price_id, dimension)
    references credits.price_components (price_id, dimension),
    constraint price_tiers_above_is_positive check (above > 0 and above <= 1000000000000000),
    constraint price_tiers_price_is_not_negative check (price_per_unit >= 0 and price_per_unit < 'Infinity')
);
comment on table credits.price_tiers is
'Graduated tiers of a component, per charge: the units beyond `above` (counted after the free quantity) cost '
'price_per_unit, until the next tier. The units below the first tier cost the component''s own price.';

-- Prices are append-only: the rows there are get the default, which is the time of this migration.
alter table credits.prices
add column defined_at timestamptz not null default transaction_timestamp();
comment on column credits.prices.defined_at is
'The transaction that wrote it: two versions of one target from now on, in one catalogue file, are a mistake.';

comment on column credits.price_components.minimum_charge is
'Least charge of this component, when more than the free quantity is used.';

-- define_price learns p_valid_from; what it is made of is another set of functions.
drop function if exists credits.define_price(jsonb, text, text, numeric, numeric);
drop function if exists credits.components_of(jsonb);

alter table credits.price_list add column call_cost credits.amount;
comment on column credits.price_list.call_cost is
'What one call costs, where calls are all that the price counts: a spend that says no more need not calculate.';
