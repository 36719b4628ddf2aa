-- Events about disputes. The status says whether the dispute is open: then the tokens are frozen. The movements of
-- money say whether the tokens are taken. An inquiry (warning_*) moves no money.

create or replace function credits.dispute_movements(
    p_event credits.stripe_events, out withdrawals bigint, out reinstatements bigint
)
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_object constant jsonb := p_event.payload #> '{data,object}';
begin
    -- The list grows with each movement. An event that says that money moved counts even if its list does not show it.
    select count(*) filter (where m.amount < 0), count(*) filter (where m.amount > 0)
    into withdrawals, reinstatements
    from (
        select (t.movement -> 'amount')::numeric as amount
        from jsonb_path_query(v_object, 'lax $.balance_transactions[*]') as t (movement)
        where jsonb_typeof(t.movement -> 'amount') = 'number'
    ) as m;
    if (p_event.type = 'charge.dispute.funds_reinstated') is true then
        reinstatements := greatest(reinstatements, 1);
    end if;
    if (p_event.type in ('charge.dispute.funds_withdrawn', 'charge.dispute.funds_reinstated')) is true then
        withdrawals := greatest(withdrawals, 1);
    end if;
end
$$;
comment on function credits.dispute_movements(credits.stripe_events) is
'How often an event of a dispute says that its money was withdrawn, and how often that it was reinstated.';

create or replace function credits.apply_dispute(
    p_event credits.stripe_events, out outcome text, out reason text, out entry_id text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_object constant jsonb := p_event.payload #> '{data,object}';
    v_status constant text := v_object ->> 'status';
    v_moved record;
    -- A user who disputes a payment must not be charged again without being asked. An inquiry is not a dispute yet.
    v_begins constant boolean not null := starts_with(coalesce(v_status, ''), 'warning_') is not true and not exists (
        select
        from credits.reversals as r
        where
            r.account_id = p_event.account_id and r.reversal_id = p_event.object_id
            and starts_with(r.status, 'warning_') is not true
    );
begin
    reason := credits.reversal_problem(p_event, v_object -> 'amount');
    if reason is null and (credits.reversal_rank(v_status) > 0) is not true then
        reason := left(format('a dispute of status %s', v_status), 200);
    end if;
    if reason is not null then
        outcome := 'parked';
        return;
    end if;
    v_moved := credits.dispute_movements(p_event);
    outcome := 'duplicate';
    if credits.note_reversal(
        p_event, p_event.object_id, 'dispute', credits.stripe_amount(v_object -> 'amount')::bigint, v_status,
        v_moved.withdrawals, v_moved.reinstatements
    ) then
        outcome := 'applied';
        if v_begins then
            perform credits.stop_topup(p_event.account_id, 'dispute');
        end if;
        entry_id := credits.settle_event(p_event);
    end if;
end
$$;
comment on function credits.apply_dispute(credits.stripe_events) is
'Freezes the lots of a disputed order, takes or gives back its tokens as the money moves, and stops automatic top-up. '
'The caller holds the locks of credits.lock_with_referrer.';
