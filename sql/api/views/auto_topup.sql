-- Automatic top-up of an account: what was agreed, what it does now, and why it does not charge.
create or replace view api.auto_topup
with (security_invoker = true)
as
select
    u.user_id,
    t.state,
    t.reason,
    trim_scale(t.threshold) as threshold,
    t.pack_id,
    trim_scale(t.tokens) as tokens,
    t.amount,
    t.currency,
    t.monthly_limit,
    m.charged::bigint as charged_this_month,
    t.payment_method_id,
    a.order_id as order_in_flight,
    t.declines,
    case
        when t.state <> 'on' then t.state
        when a.order_id is not null then 'in_flight'
        when w.status <> 'active' then 'account_' || w.status
        when credits.is_disputed(t.account_id) is true then 'dispute'
        when w.balance - w.held >= t.threshold then 'balance'
        when (t.wanted and m.charged + t.amount > t.monthly_limit) is true then 'monthly_limit'
        when t.next_try_at > c.shows then 'cooldown'
        when t.wanted then 'next_spend'
        else 'crossing'
    end as waits_for,
    case when (t.state = 'on' and t.next_try_at > c.shows) is true then t.next_try_at end as next_try_at,
    t.link,
    t.link_until,
    g.words,
    g.decided_at as agreed_at,
    t.changed_at
from credits.auto_topups as t
inner join credits.wallets as w on t.account_id = w.account_id
cross join lateral (select coalesce(w.test_clock, credits.clock()) as shows) as c
cross join
    lateral (
        select credits.topped_up_since(t.account_id, t.currency, credits.period_start('month', c.shows)) as charged
    ) as m
left join credits.topup_attempts as a on t.account_id = a.account_id and a.state = 'open'
left join credits.topup_consents as g on t.account_id = g.account_id and t.consent_id = g.consent_id
left join lateral credits.user_of(t.account_id) as u on true;

comment on view api.auto_topup is
'The automatic top-up of the caller, if they have ever agreed to one. A service sees those of every account.';
comment on column api.auto_topup.user_id is 'The user id (sub) of the account.';
comment on column api.auto_topup.state is
'on, off, waiting (for a card to be saved), or paused (see reason).';
comment on column api.auto_topup.reason is
'Why it is off: withdrawn, declined (three times in a row), dispute, fraud_warning, card_gone or refused. Why it is '
'paused: authentication_required, offer_changed or under_review. Otherwise null.';
comment on column api.auto_topup.threshold is 'It charges when a spend or hold takes the balance below this.';
comment on column api.auto_topup.pack_id is 'The pack that it buys; null for an amount.';
comment on column api.auto_topup.tokens is 'The tokens that one top-up brought when the user agreed.';
comment on column api.auto_topup.amount is 'What one top-up costs, in minor units of currency.';
comment on column api.auto_topup.currency is 'ISO 4217, lower case.';
comment on column api.auto_topup.monthly_limit is
'What it may charge in a calendar month (UTC), in minor units of currency.';
comment on column api.auto_topup.charged_this_month is
'What it has charged in this month, with what is in flight, in minor units of currency.';
comment on column api.auto_topup.payment_method_id is 'The saved card, at Stripe. Null until one is saved.';
comment on column api.auto_topup.order_in_flight is 'The order whose charge is under way. Null when no charge is.';
comment on column api.auto_topup.declines is 'How many charges in a row were declined. The third turns it off.';
comment on column api.auto_topup.waits_for is
'What has to happen before it charges again. crossing: the balance is below the threshold, and must first be at or '
'above it again; then a spend that takes it below starts a charge. balance: the balance is at or above the threshold, '
'and a spend that takes it below starts a charge. next_spend: the next spend starts it. cooldown: time passes until '
'next_try_at. '
'monthly_limit: the next month. in_flight: the charge under way ends. account_frozen: the account is active again. '
'dispute: a dispute about a payment is closed, or nothing can be done about a fraud warning any more. '
'off, waiting, paused: see state and reason.';
comment on column api.auto_topup.next_try_at is 'Before this time it does not charge. Null when it waits for no time.';
comment on column api.auto_topup.link is 'Where the user confirms the card, when it is paused for that.';
comment on column api.auto_topup.link_until is 'When the link ends.';
comment on column api.auto_topup.words is 'What the user was shown when they agreed.';
comment on column api.auto_topup.agreed_at is 'When they agreed.';
comment on column api.auto_topup.changed_at is 'When its state last changed.';
