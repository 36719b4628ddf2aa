-- Comments for people and for /schema. The tables themselves are in migrations/0019-automatic_topups.sql.
comment on table credits.topup_consents is
'What users agreed to about automatic top-ups, which cards they saved for it, and what ended it. Never changed.';
comment on column credits.topup_consents.kind is
'consent, card (one was saved for a consent), withdrawal (by the user), or stop (by the bank: see reason).';
comment on column credits.topup_consents.agreed_id is 'The consent that this row is about: itself, for a consent.';
comment on column credits.topup_consents.words is 'What the user was shown when they agreed.';
comment on column credits.topup_consents.tokens is 'What one top-up brought then.';
comment on column credits.topup_consents.amount is 'What one top-up costs, in minor units of currency.';
comment on column credits.topup_consents.monthly_limit is 'What may be charged in a month (UTC), in minor units.';

comment on table credits.auto_topups is
'Automatic top-up of each account that ever agreed to it, as it is now. Without a row it is off.';
comment on column credits.auto_topups.wanted is
'A top-up had to wait, or failed: the next spend after next_try_at begins one, if the balance is below the threshold.';
comment on column credits.auto_topups.next_try_at is 'The end of the cooldown, or of the month whose limit is reached.';
comment on column credits.auto_topups.declines is 'Declined charges in a row.';
comment on column credits.auto_topups.failures is 'Failed charges in a row, for whatever reason. Doubles the cooldown.';
comment on column credits.auto_topups.stopped_by is
'The attempt that stopped or paused it. If its charge succeeds after all, the stop ends.';
comment on column credits.auto_topups.link is 'Where the user confirms the card.';

comment on table credits.topup_attempts is
'Charges that automatic top-up began, each with the spend or hold that caused it and with what became of it.';
comment on column credits.topup_attempts.entry_seq is
'The entry that took the balance below the threshold. Null when a hold did: hold_id.';
comment on column credits.topup_attempts.balance_before is 'The free balance before that: without held tokens.';
comment on column credits.topup_attempts.reason is
'Why it did not succeed. If it has succeeded, the charge had failed before and succeeded later.';
comment on index credits.topup_attempts_one_in_flight is 'Two spends at once begin one attempt.';

comment on table credits.refund_requests is
'Refunds that we started. While one is open, its tokens are withheld on the lots of its order.';
comment on column credits.refund_requests.tokens is 'The tokens that go back when Stripe has refunded the amount.';
comment on column credits.refund_requests.amount is 'In minor units of the currency of the order.';

comment on table credits.stripe_calls is
'Calls to Stripe that pgcredits work makes, written in the transaction that wants them.';
comment on column credits.stripe_calls.made_for is 'The attempt, or the request of a refund.';
comment on column credits.stripe_calls.due_at is 'When a worker may take it: for a leased call, when the lease ends.';
comment on column credits.stripe_calls.lease is 'Names the lease of the worker that took it last.';
comment on column credits.stripe_calls.must_look_up is
'The next worker does not make the call, but looks whether an earlier try was done.';
comment on column credits.stripe_calls.trouble is 'Why the last try failed, or why the call was canceled.';

comment on type api.auto_topup_receipt is 'The answer of api.set_auto_topup and api.stop_auto_topup.';
comment on type api.stripe_calls is
'The answer of api.claim_stripe_calls: the calls to Stripe that a worker is to make.';
comment on type api.stripe_report is 'The answer of api.report_stripe_call.';
comment on type api.refund_request is 'The answer of api.request_refund.';
