-- Comments for people and for /schema. The types themselves are in migrations/0015-receipts.sql.
comment on type api.spend_receipt is
'A charge: the entry, what it cost, the balance after it, and the lots it was taken from. price_source: module, '
'category or default, whose price it is. refunded: how much of the cost was given back; a repeated call shows it as it '
'is now.';
comment on type api.quote is
'What a use would cost now. available: tokens that may be spent on this module. affordable: how much they pay for; '
'null when it is free. price_source: module, category or default, whose price it is.';
comment on type api.refusal_receipt is 'Whether the tokens of a user do not cover a use of a module.';
comment on type api.refund_receipt is
'A charge that was undone, or a part of it. charge_id: its entry. draws: the lots that tokens went back into. expired: '
'how many of these expired at once, because the date of their lot had passed. balance: after that.';
comment on type api.batch_receipt is
'What became of a batch. verdicts has one object for each item, in the same order: {"ok": true, …} with the answer of '
'consume_tokens, or {"ok": false, "code": "PT402", "error": slug, "message", …} with the facts of the refusal.';
comment on type api.failure_receipt is 'A failed use that was recorded.';
comment on type api.hold_receipt is
'Tokens that are held, the lots they are in, and what can be spent besides (available, as api.balance says it). '
'price_source: module, category or default, whose price it is.';
comment on type api.capture_receipt is
'A charge on a hold. cost = paid + shortfall. paid: the tokens of the entry. debt: the part of these that no lot paid. '
'released: tokens that went back. held: tokens that the hold still keeps. price_source: whose price the hold keeps, '
'module, category or default. refunded: how much of paid was given back; a repeated call shows it as it is now.';
comment on type api.release_receipt is 'A hold that has ended: the tokens that went back, and those charged before.';
comment on type api.shortfall_receipt is 'A shortfall that was settled or written off.';
comment on type api.overdraft is 'How far captures may take an account into debt, and how much debt it has.';
comment on type api.grant_receipt is 'Tokens that came in, as a lot.';
comment on type api.redemption_receipt is
'What a code gave. A promotion gives its tokens at once. A referral gives none yet (entry_id is null): they come with '
'the first purchase.';
comment on type api.referral_offer is
'A user''s own code, and what the first purchase of somebody who uses it gives: tokens to the user, referee_tokens to '
'the buyer.';
comment on type api.order_receipt is 'A purchase and its state. amount is in minor units of the currency.';
comment on type api.event_receipt is 'What a Stripe event led to.';
comment on domain api.grant_reason is
'Why tokens are granted. add_tokens no longer takes it, because generators of types do not know domains. It stays for '
'functions that callers have written with it.';
comment on type api.account_receipt is
'An account: whether this call opened it, its balance, and whether somebody brought its user. welcome: the tokens that '
'this call gave it. welcome_waits_for: verification (of the address), limit (of the device or network; until '
'reset_at), or null.';
comment on type api.newcomer is
'A user who has signed up: the user id, the address as it is stored, and what they were given. password_hash is null: '
'it is stored, but not returned. welcome_waits_for: verification (of the address), limit (of the device or network; '
'until reset_at), or null.';
comment on type api.credential is 'A sign-in of the embedded identity provider.';
comment on type api.admission is
'A sign-in that succeeded (user_id), or a sign-up that may continue, with the count of its network in the window that '
'ends at reset_at.';
comment on type api.account_standing is
'Whether an account is frozen, since when and why. replayed: it had this status already.';
comment on type api.guest_receipt is
'A guest''s use, and what is left. used and limit are those of the device or of its network, whichever has less left. '
'reset_at: when remaining next grows; null while nothing is used.';
comment on type api.spend_limit is
'What may be spent in a period, and what has been spent. tokens is null when there is no limit.';
comment on type api.low_balance is
'When a user is told that the balance is low: below a number of tokens, or a percentage of the last grant. threshold: '
'how many tokens that is now. All are null when the rule of the bank applies and there is no such rule.';
comment on type api.acknowledgement is 'How many notices were marked as delivered now.';
comment on type api.maintenance is
'How many accounts were brought up to date, how many idempotency keys were forgotten, how many Stripe events that '
'had waited were applied, how many partitions of the ledger were made, and how much of other kinds was forgotten.';
comment on type api.test_clock is 'The time on the test clock of an account.';

comment on type api.lot_receipt is
'A correction of a lot. entry_id: its entry. tokens: by how many tokens the lot changed. remaining, expires_at: of '
'the lot now. balance: of the account after the entry.';

comment on type api.plan_offer is
'The terms on which an account can subscribe to a plan now. interval, interval_count: a period is so many months or '
'years. amount: minor units of currency for each period. trial_days: the length of the free trial, 0 without one. '
'stripe_price_id: the price at Stripe, if one is configured.';
comment on type api.stripe_customer is 'Who an account is at Stripe.';
comment on type api.free_plan_receipt is
'The present period of the free plan. granted: whether its allowance was given. replayed: the account had the free '
'plan already.';
