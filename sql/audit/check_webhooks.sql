-- Every notice since an endpoint was enabled has become a message to it, and messages are sent.
create or replace view audit.check_webhooks
with (security_invoker = true)
as
-- A notice whose transaction was open while the endpoint was registered may not have seen it. Messages that were
-- delivered are forgotten after 35 days.
select
    o.account_id,
    format('notice %s (%s) is a message to endpoint %s', o.notice_id, o.kind, w.endpoint_id) as expected,
    'no message' as found
from credits.webhook_endpoints as w
inner join credits.outbox as o
    on o.created_at > w.enabled_at + interval '60 seconds'
where
    w.disabled_at is null and coalesce(o.kind = any(w.kinds), true)
    and o.created_at > credits.clock() - interval '720 hours'
    and not exists (
        select
        from credits.webhook_deliveries as d
        where d.account_id = o.account_id and d.notice_id = o.notice_id and d.endpoint_id = w.endpoint_id
    )
union all
select
    d.account_id,
    format('message msg_%s to endpoint %s is sent when it is due', d.notice_id, d.endpoint_id) as expected,
    format('due since %s: does `pgcredits work` run?', credits.utc_text(d.due_at)) as found
from credits.webhook_deliveries as d
inner join credits.webhook_endpoints as w on d.endpoint_id = w.endpoint_id
where d.state = 'pending' and w.disabled_at is null and d.due_at < credits.clock() - interval '24 hours'
union all
select
    null::uuid as account_id,
    format('endpoint %s is disabled by a recorded change', w.endpoint_id) as expected,
    format('no change at %s', credits.utc_text(w.disabled_at)) as found
from credits.webhook_endpoints as w
where
    w.disabled_at is not null and not exists (
        select
        from credits.webhook_changes as c
        where c.endpoint_id = w.endpoint_id and c.change = 'disabled' and c.changed_at >= w.disabled_at
    );
comment on view audit.check_webhooks is
'Every notice since an endpoint was enabled has become a message to it. Messages are sent when they are due. Whatever
disabled an endpoint is recorded.

A row means: a product does not hear of what happened: the worker does not run, the product''s address does not
answer, or somebody changed the tables.

What to do: start `pgcredits work`. See what the address answered in api.webhook_deliveries, and send again with
api.replay_webhook.';
