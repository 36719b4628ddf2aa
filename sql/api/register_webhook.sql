-- A product wants to be told what happens. Its messages are signed with a secret that only this answer shows.
create or replace function api.register_webhook(
    url text,
    kinds text[] default null,
    description text default null
)
returns api.webhook
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_endpoint_id constant uuid := gen_random_uuid();
    v_now constant timestamptz := credits.clock();
begin
    perform credits.require_service('may register webhooks');
    perform credits.check_webhook(register_webhook.url, register_webhook.kinds, register_webhook.description);
    insert into credits.webhook_endpoints (endpoint_id, url, kinds, description, created_by, created_at, enabled_at)
    values (
        v_endpoint_id, register_webhook.url, register_webhook.kinds, register_webhook.description, credits.agent(),
        v_now, v_now
    );
    perform credits.make_webhook_secret(v_endpoint_id);
    return credits.webhook_receipt(v_endpoint_id, true);
end
$$;
comment on function api.register_webhook(text, text[], text) is
'Register an address that is told what happens: docs/webhooks.md. For services.

url: https, or http on this machine. kinds: which notices it gets, by default all. secret: what its messages are signed
with (Standard Webhooks). Only this answer shows it. Repeating the call registers the address again, with another secret.
Raises PT422 bad_webhook (kinds: those that there are), PT403 not_yours.';
