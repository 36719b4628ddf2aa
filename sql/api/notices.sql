-- What users are to be told. Whoever delivers reads those not delivered, oldest first, and acknowledges.
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

comment on view api.notices is 'The notices of the caller; a service sees every account''s.';
comment on column api.notices.notice_id is 'Name for api.acknowledge_notices.';
comment on column api.notices.user_id is 'The user id (sub) of the account.';
comment on column api.notices.kind is 'low_balance, depleted or expiring_soon.';
comment on column api.notices.facts is
'low_balance: balance, threshold; depleted: balance; expiring_soon: lot_id, tokens, expires_at.';
comment on column api.notices.created_at is 'When the balance crossed the line, or the lot came close to its end.';
comment on column api.notices.delivered is 'A service has acknowledged it.';
