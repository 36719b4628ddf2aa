-- Comments for people and for /schema. The tables themselves are in migrations/0008-ledger.sql.
comment on table credits.wallets is
'The one row that a spend locks. balance = sum of the lots'' remaining tokens - debt; audit.check_balance proves it.';
comment on column credits.wallets.seq is
'The number of the last entry. There are no gaps, because the number comes from the locked row.';
comment on column credits.wallets.posted_at is
'The time of the last entry. No entry is earlier than the one before it.';
comment on column credits.wallets.due_at is
'Nothing is due before this moment: no hold or lot expires, no coming expiry is announced, no day or month of a limit '
'begins.';
comment on column credits.wallets.unpaid is
'How many uses, and other things except holds, the user has made without paying in the window that ends at '
'unpaid_until: see sql/credits/wallet/unpaid.sql.';
comment on column credits.wallets.unpaid_holds is
'How many holds of the user have ended with nothing charged in that window.';
comment on column credits.wallets.unpaid_until is 'When the window ends. After that nothing counts.';
comment on column credits.wallets.head_quiet is
'True when tokens of head_lot that a hold frees have no other effect: the lot never expires, and no notice waits to '
'be armed.';
comment on column credits.wallets.head_lot is
'The lot that the last spend took from, or null. head_permit, head_taken and head_reserved are about this lot. See '
'credits.choose_head.';
comment on column credits.wallets.test_clock is
'The time on the account''s test clock. Null: the account has no test clock, and uses the bank''s time. A test clock '
'only moves forward, and is never removed.';
comment on column credits.wallets.status is
'The status is here and not on the account, so that freezing waits for the same lock.';
comment on column credits.wallets.held is 'Tokens reserved by open holds, part of balance.';
comment on column credits.wallets.debt is 'Tokens used that no lot could pay.';
comment on column credits.wallets.head_permit is
'Tokens that may be spent from head_lot, or held there, without checking limits, notices and other lots.';
comment on column credits.wallets.head_taken is 'Tokens taken from head_lot that are not yet on its row.';
comment on column credits.wallets.head_reserved is
'Tokens held in head_lot that are not yet on its row. Below zero: tokens that are no longer held, but still held on '
'its row.';
comment on column credits.wallets.head_hash is 'Hash of the last entry; empty before the first.';

comment on table credits.entry_kinds is
'The other side of each kind of entry, which makes this double-entry bookkeeping.';

comment on table credits.entries is
'The ledger: append-only, partitioned by month, with a hash chain per account. It needs no foreign keys, because only '
'definer functions write it, under the wallet''s lock.';
comment on column credits.entries.seq is '1, 2, 3 … per account, without gaps.';
comment on column credits.entries.posted_at is
'When it was written, after the lock was taken. It rises strictly with seq.';
comment on column credits.entries.effective_at is
'When it happened. For an expiry, the moment when the lot expired; otherwise posted_at.';
comment on column credits.entries.tokens is
'The change of the balance: the change in the lots, less the change of the debt. Above zero: tokens come in. Below '
'zero: tokens go out.';
comment on column credits.entries.debt_after is
'The debt after the entry. A charge that lots cannot pay raises it, and a repayment lowers it.';
comment on column credits.entries.draws is
'The lots that it changed, in the order in which they were taken: [{"lot_id": seq of the granting entry, "tokens": '
'how many, above zero}]. Tokens went into these lots if the entry''s tokens are above zero, and out of them '
'otherwise.';
comment on column credits.entries.usage is 'What was used, per dimension.';
comment on column credits.entries.order_id is 'The order that paid for these tokens.';
comment on column credits.entries.hold_id is 'The hold that this charge captured.';
comment on column credits.entries.late is
'Was the hold captured after it had expired? Null if the entry captures no hold.';
comment on column credits.entries.refunds_seq is
'The seq of the charge that this refund gives back, on the same account.';
comment on column credits.entries.campaign_id is 'The campaign that granted these tokens.';
comment on column credits.entries.package_name is 'The name of the lot that came or expired.';
comment on column credits.entries.actor is
'The role or SQL login that caused it, never a person''s name. The id of its API key follows after a colon, except in '
'charges and captures.';
comment on column credits.entries.tags is
'What the use was for: small texts by name, as credits.is_tags says. A capture has those of its hold, a refund those '
'of its charge. Null for no tags.';
comment on column credits.entries.hash is 'The sha256 of the fields and of the hash before: see credits.entry_hash.';

comment on table credits.lots is
'Tokens that came in together and share a price, a scope and an expiry. They are spent in burn order: see '
'credits.draw_lots. 0 <= held <= remaining <= granted: the domains refuse negative numbers, and audit.check_lots '
'proves the rest.';
comment on column credits.lots.lot_id is 'The seq of the entry that granted it.';
comment on column credits.lots.priority is 'Lower is spent first.';
comment on column credits.lots.live is
'True while the row has tokens. The head lot may have no tokens left even so: see credits.current_lots.';
comment on column credits.lots.frozen is
'True while the payment is disputed. The tokens cannot be spent. No function of the bank sets it yet.';
comment on table credits.inactive_accounts is
'Accounts that have been told that their tokens will be purged. A row whose account was active since counts no more.';
comment on column credits.inactive_accounts.active_at is 'When it last spent, bought or was granted something.';
comment on column credits.inactive_accounts.purge_at is 'When its tokens expire if it stays inactive.';
comment on column credits.lots.announced is 'True when the outbox has the notice of its coming expiry.';
comment on column credits.lots.scope is 'The module:ID or category:ID that the tokens are bound to. Null: not bound.';
comment on column credits.lots.unit_cost is 'The money really paid for one token, in minor units of currency.';

comment on table credits.charge_refunds is
'How much of a charge was refunded in all. It is written under the wallet''s lock, and audit.check_refunds proves it.';
comment on column credits.charge_refunds.seq is
'The charge. Or a repayment of debt, if the use that made the debt was refunded after the repayment.';
comment on column credits.charge_refunds.refunded is
'For a charge: tokens given back, at most those of the charge. For a repayment: tokens that went back into the lot '
'that paid it.';

comment on table credits.idempotency_keys is
'Calls that were answered, kept for 35 days or longer. The same key with the same arguments gets the same answer. A '
'refusal leaves no key.';
comment on column credits.idempotency_keys.fingerprint is
'The sha256 of the arguments. Null for a spend, a hold and a capture, whose rows record the arguments.';
comment on column credits.idempotency_keys.entry_seq is 'The entry that the call wrote, or null.';
comment on column credits.idempotency_keys.made_id is 'The order, hold or failure that the call made or ended.';
comment on column credits.idempotency_keys.options is
'Arguments of a capture that its entry does not record: {"held": true} if it named no usage, {"final": false}, '
'{"over": "available"}. Null: the defaults.';

comment on column credits.lots.reversed is 'Tokens that were taken out of it because their money went back.';
comment on column credits.lots.withheld is
'Tokens that cannot be spent, because their money may go back soon, or because they should have been taken back '
'while a hold had them.';
