-- Refunds that we started, and what became of them.
create or replace view api.refund_requests
with (security_invoker = true)
as
select
    r.request_id,
    u.user_id,
    r.order_id,
    r.state,
    trim_scale(r.tokens) as tokens,
    r.amount,
    o.currency,
    r.reason,
    r.trouble,
    r.refund_id,
    r.requested_at,
    r.ended_at
from credits.refund_requests as r
inner join credits.orders as o on r.account_id = o.account_id and r.order_id = o.order_id
left join lateral credits.user_of(r.account_id) as u on true;

comment on view api.refund_requests is
'The refunds that services requested, of every account. For services and support.';
comment on column api.refund_requests.request_id is 'Name of the request.';
comment on column api.refund_requests.user_id is 'The user id (sub) of the account.';
comment on column api.refund_requests.order_id is 'The order that is refunded.';
comment on column api.refund_requests.state is
'open (Stripe has not answered; the tokens are withheld), refunded, or failed (the tokens are free again).';
comment on column api.refund_requests.tokens is 'The tokens that go back.';
comment on column api.refund_requests.amount is 'The money that goes back, in minor units of currency.';
comment on column api.refund_requests.currency is 'ISO 4217, lower case.';
comment on column api.refund_requests.reason is 'Why, in the words of the service.';
comment on column api.refund_requests.trouble is 'Why Stripe did not refund it.';
comment on column api.refund_requests.refund_id is 'The refund at Stripe.';
comment on column api.refund_requests.requested_at is 'When it was requested.';
comment on column api.refund_requests.ended_at is 'When Stripe answered.';
