-- What became of a try. A message that arrived is delivered, also when an older try says so. A failure counts only for
-- the try that is under way.
create or replace function api.finish_webhook(
    account_id uuid,
    notice_id uuid,
    endpoint_id uuid,
    lease uuid,
    http_status bigint default null,
    trouble text default null
)
returns api.webhook_result
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before text;
    v_delivery credits.webhook_deliveries;
    v_result api.webhook_result;
begin
    perform credits.require_service('may report on webhooks');
    perform credits.check_reason(finish_webhook.trouble);
    v_before := credits.bound_wait();
    select d.* into v_delivery
    from credits.webhook_deliveries as d
    where
        d.account_id = finish_webhook.account_id and d.notice_id = finish_webhook.notice_id
        and d.endpoint_id = finish_webhook.endpoint_id
    for no key update;
    if not found then
        perform credits.fail(404, 'unknown_webhook', 'no such message');
    end if;
    if v_delivery.state = 'pending' then
        if (finish_webhook.http_status between 200 and 299) is true then
            perform credits.note_delivered(v_delivery, finish_webhook.http_status);
        elsif (v_delivery.lease = finish_webhook.lease) is true then
            perform credits.note_failed(v_delivery, finish_webhook.http_status, finish_webhook.trouble);
        end if;
    end if;
    perform set_config('lock_timeout', v_before, true);
    select d.state, case when d.state = 'pending' then d.due_at end,
        case when w.disabled_at is null then 'enabled' else 'disabled' end
    into v_result
    from credits.webhook_deliveries as d
    inner join credits.webhook_endpoints as w on d.endpoint_id = w.endpoint_id
    where
        d.account_id = finish_webhook.account_id and d.notice_id = finish_webhook.notice_id
        and d.endpoint_id = finish_webhook.endpoint_id;
    return v_result;
exception
    when lock_not_available then
        perform credits.refuse_busy('this message');
        return null;
end
$$;
comment on function api.finish_webhook(uuid, uuid, uuid, uuid, bigint, text) is
'Report the try of a message that take_webhooks gave. For services. http_status: of the answer, null without
one. trouble: what went wrong. A status from 200 to 299 means that it was delivered; anything else is tried again later.

An endpoint that answers 410, or that has taken nothing for five days, is disabled. Safe to repeat.
Raises PT404 unknown_webhook, PT422 bad_reason (trouble is too long, or has control characters), PT503 busy, PT403 not_yours.';
