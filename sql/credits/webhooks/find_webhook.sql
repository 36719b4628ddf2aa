-- An endpoint by its id, locked, and what its callers are told of it.

create or replace function credits.find_webhook(p_endpoint_id uuid)
returns credits.webhook_endpoints
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before text;
    v_endpoint credits.webhook_endpoints;
begin
    v_before := credits.bound_wait();
    select w.* into v_endpoint
    from credits.webhook_endpoints as w
    where w.endpoint_id = p_endpoint_id
    for no key update;
    if not found then
        perform credits.fail(404, 'unknown_webhook', 'no such endpoint');
    end if;
    perform set_config('lock_timeout', v_before, true);
    return v_endpoint;
exception
    when lock_not_available then
        perform credits.refuse_busy('this endpoint');
        return null;
end
$$;
comment on function credits.find_webhook(uuid) is
'Locks an endpoint and returns it. Raises PT404 unknown_webhook, PT503 busy.';

create or replace function credits.note_change(p_endpoint_id uuid, p_change text, p_reason text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into credits.webhook_changes (endpoint_id, change, reason, actor, changed_at)
    values (p_endpoint_id, p_change, p_reason, credits.agent(), credits.clock());
end
$$;
comment on function credits.note_change(uuid, text, text) is 'Records what was done to an endpoint, and why.';

create or replace function credits.check_given_reason(p_reason text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.check_reason(p_reason);
    if coalesce(btrim(p_reason, e' \t\r\n'), '') = '' then
        perform credits.fail(422, 'bad_reason', 'say why, in a few words');
    end if;
end
$$;
comment on function credits.check_given_reason(text) is
'Checks that there is a reason, as credits.check_reason says. Raises PT422 bad_reason.';

create or replace function credits.webhook_receipt(p_endpoint_id uuid, p_with_secret boolean default false)
returns api.webhook
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_receipt api.webhook;
begin
    select
        w.endpoint_id, w.url, w.kinds, w.description,
        case when w.disabled_at is null then 'enabled' else 'disabled' end, w.disabled_reason,
        case when p_with_secret is true then s.secret end
    into v_receipt
    from credits.webhook_endpoints as w
    left join credits.webhook_secrets as s on w.endpoint_id = s.endpoint_id and s.valid_until is null
    where w.endpoint_id = p_endpoint_id;
    return v_receipt;
end
$$;
comment on function credits.webhook_receipt(uuid, boolean) is
'The answer of api functions about an endpoint. Its secret is shown only when it was made in this call.';
