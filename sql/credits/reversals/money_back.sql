-- How much of a payment has gone back. Refunds, disputes and payments that failed after all are one sum, which never
-- exceeds what was paid, so that a refund and a dispute of the same money take the tokens only once.

create or replace function credits.reversal_rank(p_status text)
returns bigint
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case coalesce(p_status, '')
        -- Refunds
        when 'requested' then 0
        when 'requires_action' then 1
        when 'pending' then 2
        when 'succeeded' then 3
        when 'failed' then 4
        when 'canceled' then 4
        when 'dropped' then 5
        -- Disputes. An inquiry can become a dispute, and a dispute never becomes an inquiry.
        when 'warning_needs_response' then 1
        when 'warning_under_review' then 2
        when 'warning_closed' then 3
        when 'needs_response' then 4
        when 'under_review' then 5
        when 'won' then 6
        when 'lost' then 6
        when 'prevented' then 6
        -- Fraud warnings
        when 'actionable' then 1
        when 'closed' then 2
        else 0
    end;
end
$$;
comment on function credits.reversal_rank(text) is
'How far a refund, a dispute or a fraud warning with this status at Stripe has got. A status of a '
'lower rank never replaces it, so the order in which events come does not matter. Unknown statuses have rank 0.';

create or replace function credits.money_back(
    p_order credits.orders, out back bigint, out pending bigint, out disputed boolean
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_paid constant bigint not null := coalesce(p_order.paid, 0);
    v_refunds bigint;
    v_refunded bigint;
    v_on_charge bigint;
    v_disputes bigint;
    v_failed bigint;
    v_warns constant boolean not null := coalesce(
        (select s.freeze_on_fraud_warning from credits.settings as s), false
    );
begin
    select
        coalesce(
            sum(r.amount) filter (
                -- What later invoices credited of a period was not refunded of its charge.
                where
                r.kind = 'refund' and r.status not in ('requested', 'dropped')
                and not starts_with(r.reversal_id, 'credit_')
            ), 0
        ),
        coalesce(sum(r.amount) filter (where r.kind = 'refund' and r.status = 'succeeded'), 0),
        coalesce(max(r.amount) filter (where r.kind = 'refunded_charge'), 0),
        coalesce(sum(r.amount) filter (where r.kind = 'dispute' and r.withdrawals > r.reinstatements), 0),
        coalesce(max(v_paid) filter (where r.kind = 'failed_payment' and r.created_at > p_order.succeeded_at), 0),
        coalesce(
            sum(r.amount) filter (
                where r.kind = 'refund' and r.status in ('requested', 'requires_action', 'pending')
            ), 0
        ),
        coalesce(bool_or(
            case r.kind
                when 'dispute' then (
                    r.status in ('needs_response', 'under_review') or (r.status = 'lost' and r.withdrawals = 0)
                ) is true
                when 'fraud_warning' then v_warns and r.status = 'actionable'
                else false
            end
        ), false)
    into v_refunds, v_refunded, v_on_charge, v_disputes, v_failed, pending, disputed
    from credits.reversals as r
    where r.account_id = p_order.account_id and r.order_id = p_order.order_id;
    -- The charge may report a refund whose own event was lost. Refunds that are known explain it, also those that
    -- failed after the charge had reported them.
    back := least(v_paid, v_refunded + greatest(v_on_charge - v_refunds, 0) + v_disputes + v_failed);
    pending := least(v_paid - back, pending);
end
$$;
comment on function credits.money_back(credits.orders) is
'How much of the payment of an order has gone back (back) and may go back soon (pending), in minor units. disputed: '
'its tokens are frozen, because a dispute is open, or was lost and its money has not been seen to go, or because of a '
'fraud warning.';

create or replace function credits.note_reversal(
    p_event credits.stripe_events,
    p_reversal_id text,
    p_kind text,
    p_amount bigint,
    p_status text,
    p_withdrawals bigint default 0,
    p_reinstatements bigint default 0
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into credits.reversals as r (
        account_id, reversal_id, order_id, kind, amount, status, withdrawals, reinstatements, created_at, changed_at
    )
    values (
        p_event.account_id, p_reversal_id, p_event.order_id, p_kind, p_amount, p_status, p_withdrawals,
        p_reinstatements, credits.event_time(p_event), credits.clock()
    )
    on conflict (account_id, reversal_id) do update
    set
        amount = greatest(r.amount, excluded.amount),
        status = case
            when credits.reversal_rank(excluded.status) > credits.reversal_rank(r.status) then excluded.status
            else r.status
        end,
        withdrawals = greatest(r.withdrawals, excluded.withdrawals),
        reinstatements = greatest(r.reinstatements, excluded.reinstatements),
        created_at = case
            when r.kind = 'failed_payment' then greatest(r.created_at, excluded.created_at)
            else least(r.created_at, excluded.created_at)
        end,
        changed_at = excluded.changed_at
    where
        r.amount < excluded.amount or credits.reversal_rank(excluded.status) > credits.reversal_rank(r.status)
        or r.withdrawals < excluded.withdrawals or r.reinstatements < excluded.reinstatements
        or (r.kind = 'failed_payment' and r.created_at < excluded.created_at);
    return found;
end
$$;
comment on function credits.note_reversal(credits.stripe_events, text, text, bigint, text, bigint, bigint) is
'Records what an event says about an object that takes money back from the order of the event. True when it says '
'something new. What was reported before never shrinks.';

create or replace function credits.reversal_problem(p_event credits.stripe_events, p_amount jsonb)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_object constant jsonb := p_event.payload #> '{data,object}';
    v_amount constant numeric := credits.stripe_amount(p_amount);
    v_order credits.orders;
begin
    select o.* into v_order
    from credits.orders as o
    where o.account_id = p_event.account_id and o.order_id = p_event.order_id;
    return left(case
        when p_event.object_id is null then 'an object without an id that can be kept'
        when v_amount is null then format('an amount of %s', p_amount)
        when v_object -> 'currency' is distinct from to_jsonb(v_order.currency)
            then format('currency %s, paid in %s', v_object ->> 'currency', v_order.currency)
        when (v_amount > v_order.paid) is true
            then format('an amount of %s, of a payment of %s', v_amount, v_order.paid)
        when exists (
            select
            from unnest(p_event.names) as n (name)
            join credits.stripe_objects as s on n.name = s.object_id
            where (s.account_id, s.order_id) is distinct from (p_event.account_id, p_event.order_id)
        ) then 'it names the payments of two orders'
        when exists (
            select
            from credits.reversals as r
            where
                r.account_id = p_event.account_id and r.reversal_id = p_event.object_id
                and r.order_id is distinct from p_event.order_id
        ) then 'it took money back from another order before'
    end, 200);
end
$$;
comment on function credits.reversal_problem(credits.stripe_events, jsonb) is
'Why the amount in an event cannot come back from the payment of its order, so that a person must look at it. Null '
'when it can.';
