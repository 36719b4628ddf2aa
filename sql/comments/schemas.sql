-- Comments for people and for /schema. The tables themselves are in migrations/0001-schemas.sql.
comment on schema credits is 'Private: the tables of the bank and the functions that do its work.';
comment on schema api is 'Public: what frontends and backends may call and read. Names are the JSON names.';
comment on schema analytics is 'For analysts: figures without personal data, under row security.';
comment on schema audit is 'For DBAs: checks, which find no row while the books are sound, and reports.';
comment on domain credits.tokens is
'An exact amount in the unit of the price list (tokens, credits, euro cents), with six decimals. Refuses NaN and '
'infinity.';
comment on domain credits.amount is 'An amount of tokens that cannot be below zero.';
comment on domain credits.unit_cost is 'Money paid for one token, in minor units of a currency.';
comment on domain credits.account_status is 'active, frozen (cannot spend) or closed (cannot get anything either).';
comment on type credits.entry_kind is 'Why a balance moved. Each kind has its counter-account in credits.entry_kinds.';
comment on schema finance is 'For accountants: the books in money, without personal data.';
