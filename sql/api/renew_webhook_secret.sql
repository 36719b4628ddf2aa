-- A secret may have become known. For a day, messages are signed with both.
create or replace function api.renew_webhook_secret(endpoint_id uuid, reason text)
returns api.webhook
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.require_service('may renew the secrets of webhooks');
    perform credits.check_given_reason(renew_webhook_secret.reason);
    perform credits.find_webhook(renew_webhook_secret.endpoint_id);
    perform credits.make_webhook_secret(renew_webhook_secret.endpoint_id);
    perform credits.note_change(renew_webhook_secret.endpoint_id, 'new_secret', renew_webhook_secret.reason);
    return credits.webhook_receipt(renew_webhook_secret.endpoint_id, true);
end
$$;
comment on function api.renew_webhook_secret(uuid, text) is
'Make a new secret for an endpoint. For services. For 24 hours messages are signed with the old one as well.

secret: the new one. Only this answer shows it. Each call makes another secret.
Raises PT404 unknown_webhook, PT422 bad_reason, PT503 busy, PT403 not_yours.';
