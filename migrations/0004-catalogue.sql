-- What things cost and what can be bought: reference data, written by catalogue files only.
set local role credits_owner;

create table credits.catalogs (
    catalog_id text not null,
    title text not null,
    unit text not null,
    applied_at timestamptz not null default clock_timestamp(),
    constraint catalogs_pkey primary key (catalog_id)
);
comment on table credits.catalogs is 'The price lists that have been applied to this database.';
comment on column credits.catalogs.unit is 'What one unit of a balance is called: token, credit, euro cent.';

create table credits.module_categories (
    category_id text not null,
    title text not null,
    constraint module_categories_pkey primary key (category_id)
);
comment on table credits.module_categories is 'Groups of modules that may share a price.';

create table credits.modules (
    module_id text not null,
    title text not null,
    category_id text,
    active boolean not null default true,
    constraint modules_pkey primary key (module_id),
    constraint modules_category_fkey foreign key (category_id) references credits.module_categories (category_id),
    constraint modules_id_is_sane check (length(module_id) between 1 and 200)
);
create index modules_category_idx on credits.modules (category_id);
comment on table credits.modules is 'What tokens can be spent on.';

create table credits.prices (
    price_id bigint not null generated always as identity,
    module_id text,
    category_id text,
    valid_from timestamptz not null,
    margin numeric not null default 1,
    exchange_rate numeric not null default 1,
    constraint prices_pkey primary key (price_id),
    constraint prices_module_fkey foreign key (module_id) references credits.modules (module_id),
    constraint prices_category_fkey foreign key (category_id) references credits.module_categories (category_id),
    constraint prices_have_one_target check (module_id is null or category_id is null),
    constraint prices_start_at_different_times unique nulls not distinct (module_id, category_id, valid_from),
    constraint prices_margin_is_sane check (margin >= 0 and margin < 1000000),
    constraint prices_exchange_rate_is_sane check (exchange_rate > 0 and exchange_rate < 1000000000)
);
create index prices_category_idx on credits.prices (category_id, valid_from);
comment on table credits.prices is
'Versions of the price of a module, of a category, or (both null) of any other module. Never edited: a version ends '
'where the next one of the same target begins.';
comment on column credits.prices.margin is 'Factor on the provider''s price: 1.05 adds five percent.';
comment on column credits.prices.exchange_rate is
'Units of the component prices'' currency for one unit of the balance: 1.08 when prices are US cents and balances '
'euro cents.';

create table credits.price_components (
    price_id bigint not null,
    dimension text not null,
    unit_size numeric not null default 1,
    price_per_unit numeric not null,
    free_quantity numeric not null default 0,
    whole_units boolean not null default false,
    minimum_charge numeric not null default 0,
    provider_cost numeric,
    constraint price_components_pkey primary key (price_id, dimension),
    constraint price_components_price_fkey foreign key (price_id) references credits.prices (price_id),
    constraint price_components_dimension_is_sane check (dimension ~ '^[a-z][a-z0-9_]{0,62}$'),
    constraint price_components_unit_size_is_positive check (unit_size > 0 and unit_size < 'Infinity'),
    constraint price_components_price_is_not_negative check (price_per_unit >= 0 and price_per_unit < 'Infinity'),
    constraint price_components_free_quantity_is_not_negative check (free_quantity >= 0 and free_quantity < 'Infinity'),
    constraint price_components_minimum_is_not_negative check (minimum_charge >= 0 and minimum_charge < 'Infinity'),
    constraint price_components_provider_cost_is_not_negative check (provider_cost >= 0 and provider_cost < 'Infinity')
);
comment on table credits.price_components is
'What a price charges for each dimension of usage (calls, seconds, input_tokens …).';
comment on column credits.price_components.unit_size is
'How much of the dimension one unit is: 1000000 for a price per million.';
comment on column credits.price_components.price_per_unit is 'Price of one unit, before margin and exchange rate.';
comment on column credits.price_components.free_quantity is 'How much of the dimension costs nothing, per charge.';
comment on column credits.price_components.whole_units is
'True: units begun are charged whole. False: exact fractions.';
comment on column credits.price_components.minimum_charge is
'Least charge of this component when its quantity is above zero.';
comment on column credits.price_components.provider_cost is
'What the provider takes for one unit, for margins; not part of the charge.';

create table credits.price_list (
    module_id text not null,
    price_id bigint not null,
    valid_until timestamptz not null,
    constraint price_list_pkey primary key (module_id),
    constraint price_list_module_fkey foreign key (module_id) references credits.modules (module_id),
    constraint price_list_price_fkey foreign key (price_id) references credits.prices (price_id)
);
create index price_list_price_idx on credits.price_list (price_id);
comment on table credits.price_list is
'The price in force of each module on sale, its own or inherited: one look-up for a spend. Follows credits.prices.';
comment on column credits.price_list.valid_until is
'When a later version may begin: from then on the versions themselves are asked.';

create table credits.packs (
    pack_id text not null,
    title text not null,
    tokens credits.tokens not null,
    bonus_tokens credits.tokens not null default 0,
    amount bigint not null,
    currency text not null,
    stripe_price_id text,
    popular boolean not null default false,
    position bigint not null default 0,
    expires_after interval,
    active boolean not null default true,
    constraint packs_pkey primary key (pack_id),
    constraint packs_tokens_are_positive check (tokens > 0),
    constraint packs_bonus_is_not_negative check (bonus_tokens >= 0),
    constraint packs_amount_is_positive check (amount > 0 and amount <= 99999999),
    constraint packs_currency_is_iso check (currency ~ '^[a-z]{3}$'),
    constraint packs_expiry_is_positive check (expires_after > interval '0')
);
comment on table credits.packs is 'What can be bought.';
comment on column credits.packs.amount is 'Price in the minor unit of the currency (cents).';
comment on column credits.packs.stripe_price_id is
'Price object at Stripe (price_…), where one is configured; else the amount is sent.';
comment on column credits.packs.expires_after is 'Life of the tokens after payment; null: they never expire.';

create table credits.topups (
    currency text not null,
    minimum bigint not null,
    maximum bigint not null,
    tokens_per_unit numeric not null,
    constraint topups_pkey primary key (currency),
    constraint topups_currency_is_iso check (currency ~ '^[a-z]{3}$'),
    constraint topups_bounds_are_sane check (minimum > 0 and maximum >= minimum and maximum <= 99999999),
    constraint topups_rate_is_positive check (tokens_per_unit > 0 and tokens_per_unit < 1000000)
);
comment on table credits.topups is 'Buying any amount between two bounds, where the catalogue offers it.';
comment on column credits.topups.tokens_per_unit is 'Tokens for one minor unit of the currency.';
