-- Every notice becomes a message to each endpoint that takes its kind, in the transaction that writes the notice.

create or replace function credits.fan_out(p_account_id uuid, p_notice_id uuid, p_kind text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock();
begin
    insert into credits.webhook_deliveries (account_id, notice_id, endpoint_id, due_at, created_at)
    select p_account_id, p_notice_id, w.endpoint_id, v_now, v_now
    from credits.webhook_endpoints as w
    where w.disabled_at is null and (w.kinds is null or p_kind = any (w.kinds));
end
$$;
comment on function credits.fan_out(uuid, uuid, text) is
'Writes the messages of a new notice: one for each enabled endpoint that takes its kind.';

-- Grants and expiries are frequent, and users see them in their entries. They are notices only where a product asks. An
-- endpoint that is disabled gets them by a replay, unless it has been disabled for 35 days.
create or replace function credits.put_for_products(p_account_id uuid, p_kind text, p_facts jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (
        select
        from credits.webhook_endpoints as w
        where
            (w.disabled_at is null or w.disabled_at > credits.earlier(credits.clock(), '840 hours'))
            and (w.kinds is null or p_kind = any (w.kinds))
    ) then
        perform credits.put_notice(p_account_id, p_kind, p_facts);
    end if;
end
$$;
comment on function credits.put_for_products(uuid, text, jsonb) is
'Puts a notice in the outbox, if an endpoint takes its kind.';
