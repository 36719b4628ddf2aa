-- Purchases, and how far they have got.
create or replace view api.orders
with (security_invoker = true)
as
select
    o.order_id,
    u.user_id,
    o.state,
    o.pack_id,
    o.package_name,
    case when (o.scope like 'module:%') is true then substr(o.scope, 8) end as module_id,
    trim_scale(o.tokens) as tokens,
    trim_scale(o.bonus_tokens) as bonus_tokens,
    o.amount,
    o.currency,
    o.checkout_session_id,
    o.created_at,
    o.paid_at,
    o.scope,
    o.kind,
    o.paid,
    o.reversed,
    o.reversal_pending,
    o.disputed
from credits.orders as o
left join lateral credits.user_of(o.account_id) as u on true;

comment on view api.orders is 'The orders of the caller. A service sees those of every account.';
comment on column api.orders.order_id is 'Name of the order.';
comment on column api.orders.user_id is 'The user id (sub) of the account.';
comment on column api.orders.state is
'pending, processing (paid later), paid, failed, expired, or parked (under review).';
comment on column api.orders.pack_id is 'The pack; null for a top-up of an amount.';
comment on column api.orders.package_name is 'What was bought.';
comment on column api.orders.module_id is
'The module that the tokens are bound to. Null when they are bound to nothing, or to a category.';
comment on column api.orders.tokens is 'Tokens bought.';
comment on column api.orders.bonus_tokens is 'Tokens that come free with them.';
comment on column api.orders.amount is 'Price in minor units of currency.';
comment on column api.orders.currency is 'ISO 4217, lower case.';
comment on column api.orders.checkout_session_id is 'Stripe Checkout session.';
comment on column api.orders.created_at is 'When it was ordered.';
comment on column api.orders.paid_at is 'When it was paid and granted.';
comment on column api.orders.scope is
'module:ID or category:ID that the tokens are bound to. Null when they pay for any module.';
comment on column api.orders.kind is
'checkout (bought on a page), auto_topup (charged by a standing consent) or subscription (a paid invoice of a plan).';
comment on column api.orders.paid is
'What arrived for it, with tax, in minor units of currency. Null until it is paid.';
comment on column api.orders.reversed is
'How much of that has gone back, by refunds and disputes, in minor units. The tokens went with it.';
comment on column api.orders.reversal_pending is
'How much of it is being refunded, in minor units. Its tokens are withheld.';
comment on column api.orders.disputed is 'Whether its tokens are frozen, because the payment is disputed.';
