-- What stands where, for people and for /schema: the shape itself is in migrations/0015-receipts.sql.
comment on type api.spend_receipt is
'A charge: the entry, what it cost, the balance after it, and the lots it was taken from. price_source: module, '
'category or default, whose price it is. refunded: what of the cost has been given back; a repeated call tells it '
'as it is now.';
comment on type api.quote is
'What a use would cost now. available: tokens that may be spent on this module; affordable: how many such uses they '
'pay, null when it is free. price_source: module, category or default, whose price it is.';
comment on type api.refusal_receipt is 'Whether the tokens of a user do not pay for a use of a module.';
comment on type api.refund_receipt is
'A charge undone, or a part of it: charge_id is its entry, draws are the lots that tokens went back into, expired '
'is what of them had passed its date and expired at once. balance: after that.';
comment on type api.batch_receipt is
'What became of a batch: verdicts has one object for each item, in their order. {"ok": true, …} and then as '
'consume_tokens answers, or {"ok": false, "code": "PT402", "error": slug, "message", …} and the facts of the '
'refusal.';
comment on type api.failure_receipt is 'A failed use, noted.';
comment on type api.hold_receipt is
'Tokens held, the lots they are in, and what is left beside them (available: the balance less all that is held). '
'price_source: module, category or default, whose price it is.';
comment on type api.capture_receipt is
'A charge on a hold. cost = paid + shortfall; paid is the entry''s tokens, debt the part of it that no lot paid. '
'released: tokens that went back; held: tokens that the hold still keeps. price_source: module, category or '
'default, whose price the hold keeps. refunded: what of paid has been given back; a repeated call tells it as it is '
'now.';
comment on type api.release_receipt is 'A hold that has ended: the tokens that went back, and those charged before.';
comment on type api.shortfall_receipt is 'A shortfall that was settled or written off.';
comment on type api.overdraft is 'How far captures may take an account into debt, and how much debt it has.';
comment on type api.grant_receipt is 'Tokens that came in, as a lot.';
comment on type api.redemption_receipt is
'What a code gave: a promotion its tokens, at once; a referral none yet (entry_id null), they come with the first '
'purchase.';
comment on type api.referral_offer is
'A user''s own code, and what its first purchase brings: tokens to the user, referee_tokens to who used the code.';
comment on type api.order_receipt is 'A purchase and its state; amount in minor units of currency.';
comment on type api.event_receipt is 'What a Stripe event led to.';
comment on domain api.grant_reason is
'Why tokens are granted: grant, purchase, bonus, welcome, promo, referral, allowance, rollover or adjustment.';
comment on type api.account_receipt is
'An account: whether this call opened it, what is in it, and whether somebody brought it. welcome: the tokens that '
'this call gave it. welcome_waits_for: verification (of the address), limit (of the device or network; until '
'reset_at), or null.';
comment on type api.newcomer is
'Who has signed up: the user id, the address as it is kept, and what they were given. password_hash is null: it is '
'kept, and not told. welcome_waits_for: verification (of the address), limit (of the device or network; until '
'reset_at), or null.';
comment on type api.credential is 'A sign-in of the embedded identity provider.';
comment on type api.admission is
'A sign-in that worked (user_id), or a sign-up that may go on: what has been counted of its network in the window '
'that ends at reset_at.';
comment on type api.account_standing is 'Whether an account is frozen, since when and why. replayed: it was already.';
comment on type api.guest_receipt is
'A guest''s use, and what is left, of the device or of its network: used and limit are of the one that has less. '
'reset_at: when remaining next grows; null while all of it is free.';
comment on type api.spend_limit is 'What may be spent in a period, and what has been. tokens null: no limit.';
comment on type api.low_balance is
'When a user is told that the balance is low: below so many tokens, or percent of the last grant; threshold is what '
'that is now. All null: as the bank''s rule has it, and it has none.';
comment on type api.acknowledgement is 'How many notices were marked as delivered now.';
comment on type api.maintenance is
'How many accounts were brought up to date, how many idempotency keys were forgotten, how many Stripe events that '
'had waited were applied, and how many partitions of the ledger were made.';
comment on type api.test_clock is 'The clock of an account under test, and the moment at which it stands.';
