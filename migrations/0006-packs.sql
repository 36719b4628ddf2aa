-- What can be bought: packs, and top-ups of any amount between two bounds.
set local role credits_owner;

create table credits.packs (
    pack_id text not null,
    title text not null,
    scope text,
    tokens credits.tokens not null,
    bonus_tokens credits.tokens not null default 0,
    expires_after interval,
    amount bigint not null,
    currency text not null,
    stripe_price_id text,
    popular boolean not null default false,
    position bigint not null default 0,
    active boolean not null default true,
    constraint packs_pkey primary key (pack_id),
    constraint packs_currency_fkey foreign key (currency) references credits.currencies (currency),
    constraint packs_tokens_are_positive check (tokens > 0),
    constraint packs_bonus_is_not_negative check (bonus_tokens >= 0),
    constraint packs_amount_is_positive check (amount > 0),
    constraint packs_currency_is_iso check (currency ~ '^[a-z]{3}$'),
    constraint packs_expiry_is_positive check (expires_after > interval '0')
);
create index packs_currency_idx on credits.packs (currency);

create table credits.topups (
    currency text not null,
    minimum bigint not null,
    maximum bigint not null,
    tokens_per_unit numeric not null,
    constraint topups_pkey primary key (currency),
    constraint topups_currency_fkey foreign key (currency) references credits.currencies (currency),
    constraint topups_currency_is_iso check (currency ~ '^[a-z]{3}$'),
    constraint topups_bounds_are_sane check (minimum > 0 and maximum >= minimum),
    constraint topups_rate_is_positive check (tokens_per_unit > 0 and tokens_per_unit < 1000000)
);

create table credits.topup_presets (
    currency text not null,
    amount bigint not null,
    popular boolean not null default false,
    constraint topup_presets_pkey primary key (currency, amount),
    constraint topup_presets_topup_fkey foreign key (currency) references credits.topups (currency),
    constraint topup_presets_amount_is_positive check (amount > 0)
);
