-- Money that went back, or may: refunds, disputes, warnings.
create or replace view api.reversals
with (security_invoker = true)
as
select
    r.reversal_id,
    u.user_id,
    r.order_id,
    r.kind,
    r.amount,
    o.currency,
    r.status,
    r.kind = 'dispute' and r.withdrawals > r.reinstatements as withdrawn,
    r.created_at,
    r.changed_at
from credits.reversals as r
inner join credits.orders as o on r.account_id = o.account_id and r.order_id = o.order_id
left join lateral credits.user_of(r.account_id) as u on true;

comment on view api.reversals is
'Refunds and disputes of the orders of the caller. A service sees those of every account.';
comment on column api.reversals.reversal_id is
'Its id at Stripe: re_…, dp_…, issfr_…, ch_… or cs_…. For what Stripe credited for a period, credit_ and its invoice.';
comment on column api.reversals.user_id is 'The user id (sub) of the account.';
comment on column api.reversals.order_id is 'The order whose money goes back.';
comment on column api.reversals.kind is
'refund, refunded_charge (what a charge says was refunded of it in all), dispute, fraud_warning or failed_payment.';
comment on column api.reversals.amount is 'Minor units of currency.';
comment on column api.reversals.currency is 'ISO 4217, lower case.';
comment on column api.reversals.status is 'Its status at Stripe, the furthest that was reported.';
comment on column api.reversals.withdrawn is 'Whether the money of a dispute is gone now.';
comment on column api.reversals.created_at is 'When it began, by Stripe''s clock.';
comment on column api.reversals.changed_at is 'When something new was last reported about it.';
