-- Comments for people and for /schema. The tables themselves are in migrations/0008-ledger.sql.
comment on table credits.wallets is
'The one row that a spend locks. balance = sum of the lots'' remaining tokens - debt, proved by audit.check_balance.';
comment on column credits.wallets.seq is 'Number of the last entry: no gaps, because it is taken from the locked row.';
comment on column credits.wallets.posted_at is 'Time of the last entry, so that entries never go back in time.';
comment on column credits.wallets.due_at is
'Before this moment the clock changes nothing: no hold or lot expires, no lot is announced to, no day or month of a '
'limit begins.';
comment on column credits.wallets.unpaid is
'How many uses, and other things that are no holds, the user has made without paying in the window that ends at '
'unpaid_until: see sql/credits/wallet/unpaid.sql.';
comment on column credits.wallets.unpaid_holds is
'How many holds of the user have ended with nothing charged in that window.';
comment on column credits.wallets.unpaid_until is 'When the window ends; in the past, nothing counts.';
comment on column credits.wallets.head_quiet is
'Tokens of head_lot that a hold lets go call for nothing: the lot never expires, and no notice waits to be armed.';
comment on column credits.wallets.head_lot is
'The lot that the last spend took from, which head_permit, head_taken and head_reserved speak of; null: none. See '
'credits.choose_head.';
comment on column credits.wallets.test_clock is
'What the account''s own clock shows, for tests; null: it goes by the bank''s. Only moved forward, never taken off.';
comment on column credits.wallets.status is 'Here and not on the account, so that freezing waits for the same lock.';
comment on column credits.wallets.held is 'Tokens reserved by open holds, part of balance.';
comment on column credits.wallets.debt is 'Tokens used that no lot could pay.';
comment on column credits.wallets.head_permit is
'Tokens that may be spent from head_lot, or held there, without a look at limits, notices and other lots.';
comment on column credits.wallets.head_taken is 'Tokens taken from head_lot that its row does not know of yet.';
comment on column credits.wallets.head_reserved is
'Tokens held in head_lot that its row does not know of yet. Below zero: its row still counts as held what is not.';
comment on column credits.wallets.head_hash is 'Hash of the last entry; empty before the first.';

comment on table credits.entry_kinds is 'The other side of each kind of entry: double entry by construction.';

comment on table credits.entries is
'The ledger. Append-only, partitioned by month, a hash chain per account. No foreign keys: only definer functions '
'write it, under the wallet''s lock.';
comment on column credits.entries.seq is '1, 2, 3 … per account, without gaps.';
comment on column credits.entries.posted_at is
'When it was written, after the lock was taken; rises strictly with seq.';
comment on column credits.entries.effective_at is
'When it happened: for an expiry the moment the lot expired, else posted_at.';
comment on column credits.entries.tokens is
'Change of the balance: of what is in the lots, less the change of the debt. Above zero in, below zero out.';
comment on column credits.entries.debt_after is
'Debt after it: what a charge left unpaid by lots, and a repayment took off.';
comment on column credits.entries.draws is
'The lots moved: [{"lot_id": seq of the granting entry, "tokens": how much, above zero}], in the order they were '
'taken. Into them when tokens is above zero, else out of them.';
comment on column credits.entries.usage is 'What was used, per dimension.';
comment on column credits.entries.order_id is 'The order that paid for these tokens.';
comment on column credits.entries.hold_id is 'The hold that this charge captured.';
comment on column credits.entries.late is
'Was the hold captured after it had expired? Null where the entry captures no hold.';
comment on column credits.entries.refunds_seq is 'The charge on the same account that this refund gives back.';
comment on column credits.entries.campaign_id is 'The campaign that granted these tokens.';
comment on column credits.entries.package_name is 'The name of the lot that came or expired.';
comment on column credits.entries.actor is 'The role or SQL login that caused it. Never a person''s name.';
comment on column credits.entries.hash is 'sha256 over the fields and the hash before: see credits.entry_hash.';

comment on table credits.lots is
'Tokens that came in together and share a price, a scope and an expiry. Spent in burn order: see credits.draw_lots. '
'0 <= held <= remaining <= granted: the domains refuse what is negative, audit.check_lots proves the rest.';
comment on column credits.lots.lot_id is 'The seq of the entry that granted it.';
comment on column credits.lots.priority is 'Lower is spent first.';
comment on column credits.lots.live is
'Its row has tokens in it. A head lot may have none any more all the same: see credits.current_lots.';
comment on column credits.lots.frozen is 'Not spendable while the payment is disputed.';
comment on column credits.lots.announced is 'Its coming expiry has been put in the outbox.';
comment on column credits.lots.scope is 'module:ID or category:ID that the tokens are bound to; null: any.';
comment on column credits.lots.unit_cost is 'Money really paid for one token, in minor units of currency.';

comment on table credits.charge_refunds is
'How much of a charge was refunded, in all. Written under the wallet''s lock; proved by audit.check_refunds.';
comment on column credits.charge_refunds.seq is
'The charge; or a repayment of debt, when the use that made the debt was refunded after it had been repaid.';
comment on column credits.charge_refunds.refunded is
'Tokens, at most those of the charge; of a repayment what has gone back into the lot that paid it.';

comment on table credits.idempotency_keys is
'Calls already answered, kept 35 days: the same key with the same arguments gets the same answer. A refusal leaves '
'no key.';
comment on column credits.idempotency_keys.fingerprint is
'sha256 of the arguments; null for a spend, whose entry records what was asked.';
comment on column credits.idempotency_keys.entry_seq is 'The entry that the call wrote; null: it wrote none.';
comment on column credits.idempotency_keys.made_id is 'The order, hold or failure that the call made or ended.';
comment on column credits.idempotency_keys.facts is
'What else is needed to give the answer again: of a capture, {"released": tokens that went free}.';
