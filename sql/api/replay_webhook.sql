-- Messages are sent again, under the ids that they had. A notice that never became a message becomes one.
create or replace function api.replay_webhook(
    endpoint_id uuid,
    since timestamptz,
    reason text,
    delivered boolean default false
)
returns api.webhook_replay
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_endpoint credits.webhook_endpoints;
    v_now timestamptz;
    v_before text;
    v_answer api.webhook_replay;
begin
    perform credits.require_service('may replay webhooks');
    perform credits.check_given_reason(replay_webhook.reason);
    if replay_webhook.since is null or not credits.is_sane_time(replay_webhook.since)
        or replay_webhook.delivered is null then
        perform credits.fail(422, 'bad_replay', 'say since when, and whether also what was delivered');
    end if;
    v_endpoint := credits.find_webhook(replay_webhook.endpoint_id);
    v_now := credits.clock();
    v_before := credits.bound_wait();
    insert into credits.webhook_deliveries as d (account_id, notice_id, endpoint_id, due_at, created_at)
    select o.account_id, o.notice_id, v_endpoint.endpoint_id, v_now, v_now
    from credits.outbox as o
    where
        o.created_at >= replay_webhook.since
        and (v_endpoint.kinds is null or o.kind = any (v_endpoint.kinds))
    on conflict on constraint webhook_deliveries_pkey do update
    set state = 'pending', tries = 0, due_at = v_now, lease = null, delivered_at = null
    where d.state = 'failed' or (d.state = 'delivered' and replay_webhook.delivered);
    get diagnostics v_answer.messages = row_count;
    perform set_config('lock_timeout', v_before, true);
    v_answer.endpoint_id := v_endpoint.endpoint_id;
    perform credits.note_change(replay_webhook.endpoint_id, 'replayed', replay_webhook.reason);
    return v_answer;
exception
    when lock_not_available then
        perform credits.refuse_busy('a message to this endpoint');
        return null;
end
$$;
comment on function api.replay_webhook(uuid, timestamptz, text, boolean) is
'Send an endpoint the notices since a time that it did not get: those that failed, and those from before it was
registered or while it was disabled. delivered: also those that it got. For services.

A message keeps its id, so the product can tell what it knows. messages: how many were put in the queue.
Raises PT404 unknown_webhook, PT422 bad_replay or bad_reason, PT503 busy, PT403 not_yours.';
