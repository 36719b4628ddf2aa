-- Four schemas, one for each kind of reader, and the types that all tables share.
create schema credits authorization credits_owner;
create schema api authorization credits_owner;
create schema analytics authorization credits_owner;
create schema audit authorization credits_owner;

comment on schema credits is 'Private: the tables of the bank and the functions that do its work.';
comment on schema api is 'Public: what frontends and backends may call and read. Names are the JSON names.';
comment on schema analytics is 'For analysts: figures without personal data, under row security.';
comment on schema audit is 'For DBAs and finance: checks that find no row while the books are sound, and reports.';

set local role credits_owner;

create domain credits.tokens as numeric(20, 6)
constraint tokens_are_finite check (value > -100000000000000 and value < 100000000000000);
comment on domain credits.tokens is
'An exact amount in the unit of the catalogue (tokens, credits, euro cents), six decimals. Refuses NaN and infinity.';

-- Rules for the columns that a spend updates are domains: PostgreSQL parses the CHECKs of a table anew at every
-- statement
-- (4 to 13 µs each, measured), those of a domain once per session.
create domain credits.amount as numeric(20, 6)
constraint amount_is_finite_and_not_negative check (value >= 0 and value < 100000000000000);
comment on domain credits.amount is 'An amount of tokens that cannot be below zero.';

create domain credits.account_status as text
constraint account_status_is_known check (value in ('active', 'frozen', 'closed'));
comment on domain credits.account_status is 'active, frozen (spends nothing) or closed (gets nothing either).';

create domain credits.unit_cost as numeric
constraint unit_cost_is_not_negative check (value >= 0 and value < 'Infinity');
comment on domain credits.unit_cost is 'Money paid for one token, in minor units of a currency.';

create type credits.entry_kind as enum (
    'purchase', 'bonus', 'grant', 'welcome', 'promo', 'referral', 'allowance', 'rollover',
    'spend', 'byok', 'refund', 'expire', 'reversal', 'reinstatement', 'repayment', 'adjustment'
);
comment on type credits.entry_kind is
'Why a balance moved. Each kind has its counter-account in credits.entry_kinds.';
