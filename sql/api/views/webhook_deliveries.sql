-- Each message, and what became of it.
create or replace view api.webhook_deliveries
with (security_invoker = true)
as
select
    'msg_' || d.notice_id as message_id,
    d.endpoint_id,
    u.user_id,
    o.kind,
    d.state,
    d.tries,
    case when d.state = 'pending' then d.due_at end as due_at,
    d.last_status,
    d.last_trouble,
    d.last_tried_at,
    d.delivered_at,
    d.created_at
from credits.webhook_deliveries as d
inner join credits.outbox as o on d.account_id = o.account_id and d.notice_id = o.notice_id
left join lateral credits.user_of(d.account_id) as u on true;

comment on view api.webhook_deliveries is
'The messages to endpoints. Those that were delivered are forgotten after 35 days. For services and support.';
comment on column api.webhook_deliveries.message_id is 'The webhook-id of the message. It never changes.';
comment on column api.webhook_deliveries.endpoint_id is 'The endpoint that it is for.';
comment on column api.webhook_deliveries.user_id is 'The user id (sub) of the account that it is about.';
comment on column api.webhook_deliveries.kind is 'The kind of the notice.';
comment on column api.webhook_deliveries.state is 'pending, delivered, or failed: it is not tried any more.';
comment on column api.webhook_deliveries.tries is 'How often it was tried.';
comment on column api.webhook_deliveries.due_at is 'When it is tried next.';
comment on column api.webhook_deliveries.last_status is 'HTTP status of the last answer.';
comment on column api.webhook_deliveries.last_trouble is 'What went wrong in the last try.';
comment on column api.webhook_deliveries.last_tried_at is 'When it was last tried.';
comment on column api.webhook_deliveries.delivered_at is 'When the endpoint took it.';
comment on column api.webhook_deliveries.created_at is 'When it was put in the queue.';
