-- The endpoints, and how each is doing.
create or replace view api.webhooks
with (security_invoker = true)
as
select
    w.endpoint_id,
    w.url,
    w.kinds,
    w.description,
    case when w.disabled_at is null then 'enabled' else 'disabled' end as state,
    w.disabled_reason as reason,
    w.disabled_at,
    w.failing_since,
    w.created_by,
    w.created_at,
    (
        select count(*)
        from credits.webhook_deliveries as d
        where d.endpoint_id = w.endpoint_id and d.state = 'pending'
    ) as waiting
from credits.webhook_endpoints as w;

comment on view api.webhooks is 'The endpoints that are told what happens. For services and support.';
comment on column api.webhooks.endpoint_id is 'Its name in the functions about webhooks.';
comment on column api.webhooks.url is 'Where messages go.';
comment on column api.webhooks.kinds is 'The kinds of notices that it gets. Null: all.';
comment on column api.webhooks.description is 'What its operator says about it.';
comment on column api.webhooks.state is 'enabled or disabled.';
comment on column api.webhooks.reason is 'Why it is disabled.';
comment on column api.webhooks.disabled_at is 'Since when it is disabled.';
comment on column api.webhooks.failing_since is 'The first failure since it last took a message.';
comment on column api.webhooks.created_by is 'Who registered it.';
comment on column api.webhooks.created_at is 'When it was registered.';
comment on column api.webhooks.waiting is 'How many messages have not arrived yet.';
