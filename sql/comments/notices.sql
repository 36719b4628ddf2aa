-- What stands where, for people and for /schema: the shape itself is in migrations/0012-notices.sql.
comment on table credits.spend_limits is
'What an account may spend in a day or month (UTC). A user sets and lifts their own; a service''s stands beside it.';
comment on column credits.spend_limits.period_starts is 'The day or month that spent_before belongs to.';
comment on column credits.spend_limits.spent_before is
'wallets.lifetime_spent when the period began: what was spent in it is the difference.';

comment on table credits.notice_rules is
'When users are told something, in this bank. low_balance: below so many tokens, or so many percent of the last '
'purchase or the greatest lot, whichever is larger. depleted: what is left pays for nothing.';
comment on column credits.notice_rules.ahead is 'How long before it expires a lot is announced.';

comment on table credits.notice_levels is
'Where an account stands with its notices. Armed: falling through the threshold writes one, and disarms; above 110 '
'percent of it the next is armed. No row: armed, and nothing granted yet.';
comment on column credits.notice_levels.below is 'The user''s own threshold for low_balance, instead of the rule''s.';
comment on column credits.notice_levels.percent is 'The same, as percent of the basis.';
comment on column credits.notice_levels.basis is
'What a percentage is taken of: the larger of the last purchase and the greatest lot that had tokens when some last '
'came, came back or expired.';
comment on column credits.notice_levels.last_purchase is 'Tokens of the last purchase, with what came free with it.';

comment on table credits.outbox is
'What users are to be told, written in the transaction that caused it. Whoever delivers reads api.notices and '
'acknowledges.';
comment on column credits.outbox.facts is 'balance, threshold, lot_id, tokens, expires_at: as the kind has them.';
