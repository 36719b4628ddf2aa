-- A worker takes the messages that are due, and has a minute to send them. Then they are due again: a worker that died
-- loses none. Several workers at once take different ones.
create or replace function api.take_webhooks(max_messages bigint default 20)
returns api.webhook_batch
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock();
    v_batch api.webhook_batch;
begin
    perform credits.require_service('may send webhooks');
    if (take_webhooks.max_messages between 1 and 1000) is not true then
        perform credits.fail(422, 'bad_limit', 'max_messages must be a number from 1 to 1000');
    end if;
    with due as (
        select d.account_id, d.notice_id, d.endpoint_id, w.url
        from credits.webhook_endpoints as w
        cross join lateral (
            select x.account_id, x.notice_id, x.endpoint_id, x.due_at
            from credits.webhook_deliveries as x
            where x.endpoint_id = w.endpoint_id and x.state = 'pending' and x.due_at <= v_now
            order by x.due_at
            -- One endpoint cannot keep the others waiting, least of all one that does not answer.
            limit case when w.failing_since is null then 10 else 1 end
            for no key update skip locked
        ) as d
        where w.disabled_at is null
        order by d.due_at
        limit take_webhooks.max_messages
    ),

    taken as (
        update credits.webhook_deliveries as d
        set
            due_at = credits.later(v_now, '60 seconds'), tries = d.tries + 1, lease = gen_random_uuid(),
            last_tried_at = v_now
        from due
        where
            d.account_id = due.account_id and d.notice_id = due.notice_id and d.endpoint_id = due.endpoint_id
        returning d.account_id, d.notice_id, d.endpoint_id, d.lease, due.url
    )

    select coalesce(
        jsonb_agg(jsonb_build_object(
            'account_id', t.account_id, 'notice_id', t.notice_id, 'endpoint_id', t.endpoint_id, 'lease', t.lease,
            'url', t.url, 'secrets', credits.webhook_secrets_of(t.endpoint_id), 'message_id', 'msg_' || t.notice_id,
            'body', credits.webhook_body(o)
        )),
        '[]'
    )
    into v_batch.messages
    from taken as t
    inner join credits.outbox as o on t.account_id = o.account_id and t.notice_id = o.notice_id;
    return v_batch;
end
$$;
comment on function api.take_webhooks(bigint) is
'Take messages that are due, at most max_messages (1 to 1000), to send them within a minute. For services: `pgcredits
work` calls it.

messages: each with account_id, notice_id, endpoint_id and lease, which finish_webhook wants back; url; secrets, to sign
with each of them; message_id; and body, the text to send. One that is not reported is due again after a minute.
Raises PT422 bad_limit, PT403 not_yours.';
