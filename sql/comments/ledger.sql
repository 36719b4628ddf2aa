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
'unpaid_until: see sql/credits/unpaid.sql.';
comment on column credits.wallets.unpaid_holds is
'How many holds of the user have ended with nothing charged in that window.';
comment on column credits.wallets.unpaid_until is 'When the window ends; in the past, nothing counts.';
comment on column credits.wallets.head_keeps is
'Holds keep their tokens in the head: head_lot never expires, and no notice is due when they let go of them.';
comment on column credits.wallets.head_lot is
'The lot that is spent next, whatever the module; null when that is not known. See sql/credits/head_lot.sql.';
comment on column credits.wallets.test_clock is
'What the account''s own clock shows, for tests; null: it goes by the bank''s. Only moved forward, never taken off.';
comment on column credits.wallets.status is 'Here and not on the account, so that freezing waits for the same lock.';
comment on column credits.wallets.held is 'Tokens reserved by open holds, part of balance.';
comment on column credits.wallets.debt is 'Tokens used that no lot could pay.';
comment on column credits.wallets.head_free is
'Tokens of head_lot, kept here and not on the lot''s row: as many as can go before a limit or a notice is reached.';
comment on column credits.wallets.head_held is
'Tokens of head_lot that holds keep, here and not on the lot''s row, beside head_free.';
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
comment on column credits.entries.reference is
'Order, reason or package that the entry belongs to; of a capture the hold, with :late after it when it was.';
comment on column credits.entries.actor is 'The role or SQL login that caused it. Never a person''s name.';
comment on column credits.entries.hash is 'sha256 over the fields and the hash before: see credits.entry_hash.';

comment on table credits.lots is
'Tokens that came in together and share a price, a scope and an expiry. Spent in burn order: see credits.draw_lots. '
'0 <= held <= remaining <= granted: the domains refuse what is negative, audit.check_lots proves the rest.';
comment on column credits.lots.lot_id is 'The seq of the entry that granted it.';
comment on column credits.lots.priority is 'Lower is spent first.';
comment on column credits.lots.live is 'Has tokens in it.';
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
comment on column credits.idempotency_keys.fingerprint is 'sha256 of the arguments.';
comment on column credits.idempotency_keys.reference is
'What the call made, from which its answer is told again: the seq of an entry, or an order_id.';
