-- Comments for people and for /schema. The tables themselves are in migrations/0020-stripe_mirror.sql.
comment on table credits.stripe_cursors is
'How far each list of Stripe was read. Lists begin with the newest object, so a reading goes back in time.';
comment on column credits.stripe_cursors.covers_from is 'Since when objects were created that the mirror has all of.';
comment on column credits.stripe_cursors.complete_until is 'Until when: the beginning of the last finished reading.';
comment on column credits.stripe_cursors.since is 'How far back the reading that is under way goes. Null: to the end.';
comment on column credits.stripe_cursors.began_at is 'When it began. Null while no reading is under way.';
comment on column credits.stripe_cursors.after is 'The last object that it has read.';

comment on table credits.stripe_mirror is
'What Stripe''s lists say of each object, as of the last reading. Only `pgcredits stripe pull` writes here. The books '
'never depend on it.';
comment on column credits.stripe_mirror.kind is
'checkout.session, payment_intent, charge, refund, dispute, invoice, balance_transaction or payout.';
comment on column credits.stripe_mirror.bucket is
'Where the object belongs when the bank is on several servers, as credits.stripe_events.bucket.';
comment on column credits.stripe_mirror.status is
'Its status at Stripe. For a Checkout session: paid, open, complete (not paid yet) or expired.';
comment on column credits.stripe_mirror.amount is 'Minor units. Below 0 for money that leaves the balance.';
comment on column credits.stripe_mirror.amount_back is 'For a charge: how much of it was refunded.';
comment on column credits.stripe_mirror.named_account is
'The account that its metadata names, whether it exists or not.';
comment on column credits.stripe_mirror.named_order is 'The order that its metadata names, whether it exists or not.';
comment on column credits.stripe_mirror.created_at is 'When it was made, by Stripe''s clock.';

comment on table credits.stripe_mirror_events is
'Events that Stripe has had in the last 30 days before a reading, whether the bank got them or not.';
comment on column credits.stripe_mirror_events.bucket is 'As credits.stripe_events.bucket.';
comment on column credits.stripe_mirror_events.payload is 'The event, until the bank has it.';
comment on column credits.stripe_mirror_events.original is
'Its bytes, where characters had to be replaced so that it could be stored.';

comment on column credits.settings.stripe_delay is
'How long a payment may be under way before the audit misses it: see credits.bound_stripe_delay.';

comment on type api.stripe_reading is
'What to ask Stripe for next: the path of a list; created since (seconds since 1970; null: from the beginning); after '
'which object (null: the first page).';
comment on type api.stripe_page is
'What was read: how many objects; how many events the bank did not have; whether the list is finished.';
comment on type api.stripe_missing is
'What the bank lacks: ids of events that it did not get, and of objects that its books do not agree with.';
