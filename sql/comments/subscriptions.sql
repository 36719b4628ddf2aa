-- Comments for people and for /schema. The tables themselves are in migrations/0018-subscriptions.sql.
comment on table credits.plans is 'What can be subscribed to: names, and how they are shown.';
comment on column credits.plans.free is 'Whether it costs nothing. This never changes.';
comment on column credits.plans.active is 'False: nobody can subscribe to it any more. Its subscribers keep it.';

comment on table credits.plan_versions is
'The terms of plans. A version is never edited. New subscribers get the newest one; the others keep the newest one of '
'the price that they pay at Stripe.';
comment on column credits.plan_versions.allowance is 'Tokens for each period, and for each unit of the quantity.';
comment on column credits.plan_versions.amount is 'Price of a period in minor units of the currency. 0: free.';
comment on column credits.plan_versions.trial_allowance is 'Tokens that the invoice of a free trial grants.';
comment on column credits.plan_versions.rollover_cap is
'How many tokens at most roll over at one renewal, for each unit of the quantity.';
comment on column credits.plan_versions.rollover_percent is
'How much of what is left rolls over. Null: all, up to the cap. Both null: nothing rolls over.';
comment on column credits.plan_versions.rollover_expires_after is
'How long the tokens that rolled over last, from the beginning of the new period. Null: as long as that period.';
comment on column credits.plan_versions.stripe_price_id is
'Price object at Stripe (price_…), if one is configured. Otherwise the amount is sent.';

comment on table credits.subscriptions is
'Subscriptions at Stripe, each as the newest of its events describes it. One that has ended stays ended.';
comment on column credits.subscriptions.plan_id is 'The plan whose price it has. Null: no plan has that price.';
comment on column credits.subscriptions.pause is
'How Stripe treats invoices while collection is paused: keep_as_draft, mark_uncollectible or void. Null: not paused.';
comment on column credits.subscriptions.said_at is
'When that event was made, by Stripe''s clock. -infinity: only invoices have named this subscription so far.';
comment on column credits.subscriptions.said_by is 'That event.';

comment on table credits.subscription_invoices is
'The invoices of subscriptions. The period that a paid one granted is written once, with the order that it made.';
comment on column credits.subscription_invoices.state is
'The furthest state that an event reported: open, uncollectible, then void or paid.';
comment on column credits.subscription_invoices.attempts is 'How many failed attempts to collect it were reported.';
comment on column credits.subscription_invoices.pay_url is 'Stripe''s page on which its customer can pay it.';
comment on column credits.subscription_invoices.order_id is
'The order that grants it. Null: it granted nothing, or has not been paid.';

comment on column credits.subscription_invoices.credited is
'Minor units that it credits for a period that was paid, because the plan has become smaller.';
comment on column credits.subscription_invoices.credited_from is
'The moment of the change, from which that period is credited. Null without a credit.';
comment on column credits.subscription_invoices.credited_subscription_id is
'The cancelled subscription whose period was credited. Null if it is the invoice''s own.';
comment on column credits.subscription_invoices.credited_until is 'The end of that period. Null without a credit.';

comment on table credits.free_periods is
'The periods of the free plan. An account gets its allowance at most once in each.';
comment on column credits.free_periods.anchor_at is
'When the account took the free plan. Its periods count from there.';
comment on column credits.subscription_invoices.unused is
'How many tokens of its allowance have expired.';
comment on column credits.free_periods.lot_id is 'The lot that was granted. Null: a paid plan takes its place.';
