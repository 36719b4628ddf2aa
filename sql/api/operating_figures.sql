-- What operators watch, for a program that asks every few seconds. Every part reads an index, and a count ends at
-- 10,000: a long backlog must not make the look at it expensive.
create or replace function api.operating_figures()
returns api.operating_figures
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock();
    v_most constant bigint := 10000;
    v_answer api.operating_figures;
begin
    perform credits.require_service('may read the figures of operations');
    -- 1. Notices that no service has acknowledged.
    select count(*), extract(epoch from v_now - min(n.created_at))
    into v_answer.notices_waiting, v_answer.notices_age
    from (
        select o.created_at
        from credits.outbox as o
        where o.delivered_at is null
        order by o.created_at
        limit v_most
    ) as n;
    -- 2. Messages to products that are due, and how late the latest of them is.
    select count(*)
    into v_answer.messages_due
    from (
        select
        from credits.webhook_deliveries as d
        where d.state = 'pending' and d.due_at <= v_now
        limit v_most
    ) as m;
    select extract(epoch from v_now - min(f.due_at))
    into v_answer.messages_age
    from credits.webhook_endpoints as e
    cross join lateral (
        select min(d.due_at) as due_at
        from credits.webhook_deliveries as d
        where d.endpoint_id = e.endpoint_id and d.state = 'pending'
    ) as f
    where f.due_at <= v_now;
    -- 3. Stripe's events that wait for their order.
    select count(*), extract(epoch from v_now - min(w.received_at))
    into v_answer.events_waiting, v_answer.events_age
    from (
        select e.received_at
        from credits.stripe_events as e
        where e.outcome = 'waiting'
        limit v_most
    ) as w;
    -- 4. The last audit.
    select extract(epoch from v_now - a.audited_at), a.checks, a.findings
    into v_answer.audit_age, v_answer.audit_checks, v_answer.audit_findings
    from credits.audits as a;
    return v_answer;
end
$$;
comment on function api.operating_figures() is
'What operators watch: what waits, and for how long. Cheap enough to be asked every few seconds. For services.

notices_waiting, notices_age: notices that no service has acknowledged, and the age of the oldest. messages_due,
messages_age: messages to products that are due, and for how long the first has been. events_waiting, events_age:
Stripe events that wait for their order, and the age of the oldest. audit_age, audit_checks, audit_findings: when
`pgcredits audit` last ran, how many checks it had and how many findings. Ages are seconds; null: nothing waits, or
nobody has audited the books. A count ends at 10000.
Raises PT403 not_yours.';
