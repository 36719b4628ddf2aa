-- What a use costs: the dimensions that usage is measured in, versions of prices, and the list of those in force.
set local role credits_owner;

create table credits.dimensions (
    dimension text not null,
    description text not null,
    constraint dimensions_pkey primary key (dimension),
    constraint dimensions_name_is_sane check (dimension ~ '^[a-z][a-z0-9_]{0,62}$')
);
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

-- Never edited: a version ends where the next one of the same target begins.
create table credits.prices (
    price_id bigint not null generated always as identity,
    module_id text,
    category_id text,
    valid_from timestamptz not null,
    margin numeric not null default 1,
    exchange_rate numeric not null default 1,
    defined_at timestamptz not null default transaction_timestamp(),
    constraint prices_pkey primary key (price_id),
    constraint prices_module_fkey foreign key (module_id) references credits.modules (module_id),
    constraint prices_category_fkey foreign key (category_id) references credits.module_categories (category_id),
    constraint prices_have_one_target check (module_id is null or category_id is null),
    constraint prices_start_at_different_times unique nulls not distinct (module_id, category_id, valid_from),
    constraint prices_margin_is_sane check (margin >= 0 and margin < 1000000),
    constraint prices_exchange_rate_is_sane check (exchange_rate > 0 and exchange_rate < 1000000000)
);
create index prices_category_idx on credits.prices (category_id, valid_from);

create table credits.price_components (
    price_id bigint not null,
    dimension text not null,
    unit_size numeric not null default 1,
    price_per_unit numeric not null,
    tiered boolean not null default false,
    free_quantity numeric not null default 0,
    minimum_charge numeric not null default 0,
    whole_units boolean not null default false,
    whole_quantity boolean not null default false,
    provider_cost numeric,
    constraint price_components_pkey primary key (price_id, dimension),
    constraint price_components_price_fkey foreign key (price_id) references credits.prices (price_id),
    constraint price_components_dimension_fkey foreign key (dimension) references credits.dimensions (dimension),
    constraint price_components_dimension_is_sane check (dimension ~ '^[a-z][a-z0-9_]{0,62}$'),
    constraint price_components_unit_size_is_positive check (unit_size > 0 and unit_size < 'Infinity'),
    constraint price_components_price_is_not_negative check (price_per_unit >= 0 and price_per_unit < 'Infinity'),
    constraint price_components_free_quantity_is_not_negative check (free_quantity >= 0 and free_quantity < 'Infinity'),
    constraint price_components_minimum_is_not_negative check (minimum_charge >= 0 and minimum_charge < 'Infinity'),
    constraint price_components_provider_cost_is_not_negative check (provider_cost >= 0 and provider_cost < 'Infinity')
);
create index price_components_dimension_idx on credits.price_components (dimension);

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

-- What a spend looks up: the price in force of each module on sale, its own or inherited.
create table credits.price_list (
    module_id text not null,
    price_id bigint not null,
    price_source text not null default 'module',
    valid_from timestamptz not null default '-infinity',
    valid_until timestamptz not null,
    call_cost credits.amount,
    least_cost credits.amount,
    dimension text,
    numerator numeric,
    denominator numeric,
    whole_quantity boolean not null default false,
    constraint price_list_pkey primary key (module_id),
    constraint price_list_module_fkey foreign key (module_id) references credits.modules (module_id),
    constraint price_list_price_fkey foreign key (price_id) references credits.prices (price_id),
    constraint price_list_is_linear_or_not check (num_nulls(dimension, numerator, denominator) in (0, 3))
);
create index price_list_price_idx on credits.price_list (price_id);
