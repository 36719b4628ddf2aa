-- An endpoint gets messages again, first those that were waiting when it was disabled.
create or replace function api.enable_webhook(endpoint_id uuid, reason text)
returns api.webhook
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_endpoint credits.webhook_endpoints;
    v_now timestamptz;
    v_before text;
begin
    perform credits.require_service('may enable webhooks');
    perform credits.check_given_reason(enable_webhook.reason);
    v_endpoint := credits.find_webhook(enable_webhook.endpoint_id);
    if v_endpoint.disabled_at is not null then
        v_now := credits.clock();
        v_before := credits.bound_wait();
        update credits.webhook_endpoints as w
        set disabled_at = null, disabled_reason = null, failing_since = null, enabled_at = v_now
        where w.endpoint_id = enable_webhook.endpoint_id;
        update credits.webhook_deliveries as d
        set due_at = v_now, tries = 0
        where d.endpoint_id = enable_webhook.endpoint_id and d.state = 'pending';
        perform set_config('lock_timeout', v_before, true);
        perform credits.note_change(enable_webhook.endpoint_id, 'enabled', enable_webhook.reason);
    end if;
    return credits.webhook_receipt(enable_webhook.endpoint_id);
exception
    when lock_not_available then
        perform credits.refuse_busy('a message to this endpoint');
        return null;
end
$$;
comment on function api.enable_webhook(uuid, text) is
'Send to an endpoint again, first what was waiting when it was disabled. For services.

The call records who enabled it, when and why. Enabling it again changes nothing.
Raises PT404 unknown_webhook, PT422 bad_reason, PT503 busy, PT403 not_yours.';
