-- What users make without paying: how much of it in which span of time.
set local role credits_owner;

alter table credits.settings
add column most_unpaid bigint not null default 1000,
add column unpaid_window interval not null default '1 hour';
comment on column credits.settings.most_unpaid is
'How much a user may make without paying in one window: see credits.bound_unpaid.';
comment on column credits.settings.unpaid_window is 'How long one such window is, from the first thing in it.';

alter table credits.wallets
add column unpaid bigint not null default 0,
add column unpaid_until timestamptz not null default '-infinity';
comment on column credits.wallets.unpaid is
'How much the user has made without paying in the window that ends at unpaid_until: see sql/credits/unpaid.sql.';
comment on column credits.wallets.unpaid_until is 'When the window ends; in the past, nothing counts.';
