-- What a try of a locked message changes, on the message and on its endpoint.

create or replace function credits.note_delivered(p_delivery credits.webhook_deliveries, p_status bigint)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.webhook_deliveries as d
    set
        state = 'delivered', delivered_at = credits.clock(), lease = null, last_status = p_status,
        last_trouble = null
    where
        d.account_id = p_delivery.account_id and d.notice_id = p_delivery.notice_id
        and d.endpoint_id = p_delivery.endpoint_id;
    update credits.webhook_endpoints as w
    set failing_since = null
    where w.endpoint_id = p_delivery.endpoint_id and w.failing_since is not null;
end
$$;
comment on function credits.note_delivered(credits.webhook_deliveries, bigint) is
'Records that a message arrived, and that its endpoint works.';

create or replace function credits.note_failed(
    p_delivery credits.webhook_deliveries, p_status bigint, p_trouble text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock();
    v_delay constant interval := credits.webhook_delay(p_delivery.tries);
    v_since timestamptz;
    v_reason text;
begin
    update credits.webhook_deliveries as d
    set
        state = case when v_delay is null then 'failed' else 'pending' end,
        due_at = coalesce(credits.later(v_now, v_delay), d.due_at), lease = null, last_status = p_status,
        last_trouble = p_trouble
    where
        d.account_id = p_delivery.account_id and d.notice_id = p_delivery.notice_id
        and d.endpoint_id = p_delivery.endpoint_id;

    update credits.webhook_endpoints as w
    set failing_since = coalesce(w.failing_since, v_now)
    where w.endpoint_id = p_delivery.endpoint_id and w.disabled_at is null
    returning w.failing_since into v_since;
    v_reason := case
        when v_since is null then null
        when (p_status = 410) is true then 'it answered that it is gone (410)'
        when v_since < credits.earlier(v_now, '120 hours')
            then format('it has taken no message since %s', credits.utc_text(v_since))
    end;
    if v_reason is not null then
        update credits.webhook_endpoints as w
        set disabled_at = v_now, disabled_reason = v_reason
        where w.endpoint_id = p_delivery.endpoint_id;
        perform credits.note_change(p_delivery.endpoint_id, 'disabled', v_reason);
    end if;
end
$$;
comment on function credits.note_failed(credits.webhook_deliveries, bigint, text) is
'Records that a try of a message failed, and when it is tried again. Disables an endpoint that is gone, or that has '
'taken nothing for five days.';
