-- An endpoint gets no more messages. Those that wait go on waiting.
create or replace function api.disable_webhook(endpoint_id uuid, reason text)
returns api.webhook
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_endpoint credits.webhook_endpoints;
begin
    perform credits.require_service('may disable webhooks');
    perform credits.check_given_reason(disable_webhook.reason);
    v_endpoint := credits.find_webhook(disable_webhook.endpoint_id);
    if v_endpoint.disabled_at is null then
        update credits.webhook_endpoints as w
        set disabled_at = credits.clock(), disabled_reason = disable_webhook.reason
        where w.endpoint_id = disable_webhook.endpoint_id;
        perform credits.note_change(disable_webhook.endpoint_id, 'disabled', disable_webhook.reason);
    end if;
    return credits.webhook_receipt(disable_webhook.endpoint_id);
end
$$;
comment on function api.disable_webhook(uuid, text) is
'Send nothing to an endpoint until enable_webhook. For services. Notices that are written meanwhile reach it only by
replay_webhook.

The call records who disabled it, when and why. Disabling it again changes nothing.
Raises PT404 unknown_webhook, PT422 bad_reason, PT503 busy, PT403 not_yours.';
