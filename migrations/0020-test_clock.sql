-- Test clocks: an account whose time stands still until a service moves it on, so that a month plays in a second.
set local role credits_owner;

alter table credits.wallets add column test_clock timestamptz;
comment on column credits.wallets.test_clock is
'What the account''s own clock shows, for tests; null: it goes by the bank''s. Only moved forward, never taken off.';

create table credits.settings (
    one_row boolean not null default true,
    test_clocks boolean not null default false,
    constraint settings_pkey primary key (one_row),
    constraint settings_are_one_row check (one_row)
);
insert into credits.settings default values;
comment on table credits.settings is 'What the operator decides for the whole bank: one row.';
comment on column credits.settings.test_clocks is
'May services put accounts on test clocks? Off unless credits.allow_test_clocks was called: never where money is real.';

create type api.test_clock as (
    user_id text,
    frozen_time timestamptz
);
comment on type api.test_clock is 'The clock of an account under test, and the moment at which it stands.';

-- The listed price is believed at the moments at which it is in force, and a test clock may show an earlier one.
alter table credits.price_list add column valid_from timestamptz not null default '-infinity';
update credits.price_list as l set valid_from = p.valid_from
from credits.prices as p
where p.price_id = l.price_id;
comment on column credits.price_list.valid_from is 'Since when price_id is in force.';

-- The JIT compiler takes a second for a check of all the books that takes milliseconds.
reset role;
alter role pgcredits_auditor set jit = off;
alter role pgcredits_analyst set jit = off;
