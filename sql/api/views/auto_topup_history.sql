-- All that has happened to the automatic top-up of an account: agreements, cards, withdrawals, stops and charges.
create or replace view api.auto_topup_history
with (security_invoker = true)
as
select
    u.user_id,
    h.happened_at,
    h.event,
    h.state,
    h.reason,
    h.amount,
    h.currency,
    h.order_id,
    h.entry_id,
    h.hold_id,
    h.balance_before,
    h.balance_after,
    h.threshold,
    h.payment_intent_id,
    h.payment_method_id,
    h.words,
    h.ended_at
from (
    select
        a.account_id,
        a.fired_at as happened_at,
        'charge' as event,
        a.state,
        a.reason,
        a.amount,
        a.currency,
        a.order_id,
        a.account_id || ':' || a.entry_seq as entry_id,
        a.account_id || ':' || a.hold_id as hold_id,
        trim_scale(a.balance_before) as balance_before,
        trim_scale(a.balance_after) as balance_after,
        trim_scale(a.threshold) as threshold,
        a.payment_intent_id,
        null as payment_method_id,
        null as words,
        a.ended_at
    from credits.topup_attempts as a
    union all
    select
        c.account_id,
        c.decided_at as happened_at,
        c.kind as event,
        null as state,
        c.reason,
        c.amount,
        c.currency,
        null as order_id,
        null as entry_id,
        null as hold_id,
        null as balance_before,
        null as balance_after,
        trim_scale(c.threshold) as threshold,
        null as payment_intent_id,
        c.payment_method_id,
        c.words,
        null as ended_at
    from credits.topup_consents as c
) as h
left join lateral credits.user_of(h.account_id) as u on true;

comment on view api.auto_topup_history is
'What has happened to the automatic top-up of the caller. A service sees that of every account.';
comment on column api.auto_topup_history.user_id is 'The user id (sub) of the account.';
comment on column api.auto_topup_history.happened_at is 'When it happened. For a charge: when the spend began it.';
comment on column api.auto_topup_history.event is
'consent, card (one was saved), withdrawal (by the user), stop (by the bank), or charge.';
comment on column api.auto_topup_history.state is
'For a charge: open (in flight), succeeded, declined, authentication_required, canceled or failed. Otherwise null.';
comment on column api.auto_topup_history.reason is
'Why a charge did not succeed, in Stripe''s words, or why automatic top-up was stopped. A charge that succeeded has '
'one if it had failed before.';
comment on column api.auto_topup_history.amount is
'What was charged, or what the user agreed to for each charge, in minor units of currency.';
comment on column api.auto_topup_history.currency is 'ISO 4217, lower case.';
comment on column api.auto_topup_history.order_id is 'The order of a charge.';
comment on column api.auto_topup_history.entry_id is
'The spend that took the balance below the threshold and so began a charge. Null when a hold did.';
comment on column api.auto_topup_history.hold_id is 'The hold that did.';
comment on column api.auto_topup_history.balance_before is 'The free balance before that spend or hold.';
comment on column api.auto_topup_history.balance_after is 'The free balance after it.';
comment on column api.auto_topup_history.threshold is 'The threshold, at that time.';
comment on column api.auto_topup_history.payment_intent_id is 'The charge at Stripe.';
comment on column api.auto_topup_history.payment_method_id is 'The card at Stripe.';
comment on column api.auto_topup_history.words is 'What the user was shown when they agreed.';
comment on column api.auto_topup_history.ended_at is 'When a charge ended. Null while it is in flight.';
