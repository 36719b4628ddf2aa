-- Comments for people and for /schema. The tables themselves are in migrations/0012-notices.sql.
comment on table credits.spend_limits is
'What an account may spend in a day or month (UTC). A user sets and lifts their own limit. The limit of a service '
'applies as well.';
comment on column credits.spend_limits.period_starts is 'The day or month that spent_before belongs to.';
comment on column credits.spend_limits.spent_before is
'wallets.lifetime_spent when the period began. The difference is what was spent in the period.';

comment on table credits.notice_rules is
'When this bank tells users something. low_balance: below a number of tokens, or a percentage of the last purchase or '
'of the greatest lot, whichever is larger. depleted: what is left pays for nothing.';
comment on column credits.notice_rules.ahead is 'How long before its expiry a lot is announced.';

comment on table credits.notice_levels is
'Which notices of an account are armed. When the balance falls through the threshold, an armed notice is written and '
'disarmed. Above 110 percent of the threshold it is armed again. Without a row, it is armed and nothing was granted '
'yet.';
comment on column credits.notice_levels.below is
'The user''s own threshold for low_balance, in place of the rule of the bank.';
comment on column credits.notice_levels.percent is 'The same, as a percentage of the basis.';
comment on column credits.notice_levels.basis is
'What a percentage is taken of: the larger of the last purchase and the greatest lot that had tokens when tokens were '
'last granted, came back or expired.';
comment on column credits.notice_levels.last_purchase is 'Tokens of the last purchase, including the bonus.';

comment on table credits.outbox is
'What users should be told, written in the transaction that caused it. A service reads api.notices, delivers them, and '
'acknowledges them.';
comment on column credits.outbox.facts is
'balance, threshold, lot_id, tokens, expires_at: those that belong to the kind.';
