-- What users should be told. A service reads the notices that are not delivered, oldest first, delivers them, and
-- acknowledges them.
create or replace view api.notices
with (security_invoker = true)
as
select
    o.notice_id,
    u.user_id,
    o.kind,
    o.facts,
    o.created_at,
    o.delivered_at is not null as delivered
from credits.outbox as o
left join lateral credits.user_of(o.account_id) as u on true;

comment on view api.notices is 'The notices of the caller. A service sees those of every account.';
comment on column api.notices.notice_id is 'Name for api.acknowledge_notices.';
comment on column api.notices.user_id is 'The user id (sub) of the account.';
comment on column api.notices.kind is
'low_balance, depleted, expiring_soon, top_up_failed, top_up_paused and the others in docs/webhooks.md. granted and '
'expired only where an endpoint takes them.';
comment on column api.notices.facts is
'For low_balance: balance and threshold. For depleted: balance. For expiring_soon: lot_id, tokens and expires_at. For '
'top_up_failed and top_up_paused: reason, state, amount and currency of a top-up, and order_id, declines, next_try_at, '
'link and link_until where there are any.';
comment on column api.notices.created_at is
'When the balance fell below the threshold, or the lot came close to its expiry.';
comment on column api.notices.delivered is 'Whether a service has acknowledged it.';
