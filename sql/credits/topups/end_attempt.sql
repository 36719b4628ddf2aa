-- How an attempt ends. The answer that the worker reports and the events of the payment intent may come in any order,
-- and each may come alone: whichever is first ends the attempt. Money that arrives later wins over every other end.

create or replace function credits.cooldown(p_failures bigint)
returns interval
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case
        when (p_failures >= 6) is true then interval '24 hours'
        else make_interval(hours => (2 ^ greatest(coalesce(p_failures, 1) - 1, 0))::integer)
    end;
end
$$;
comment on function credits.cooldown(bigint) is
'How long automatic top-up waits after so many failures in a row: an hour, doubled with each, 24 hours at most.';

create or replace function credits.end_attempt(
    p_attempt credits.topup_attempts, p_state text, p_reason text, p_at timestamptz
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_topup credits.auto_topups;
    v_declines bigint;
begin
    update credits.topup_attempts as a
    set state = p_state, reason = left(p_reason, 200), ended_at = p_at
    where a.account_id = p_attempt.account_id and a.attempt_id = p_attempt.attempt_id and a.state = 'open';
    if not found then
        return false;
    end if;
    update credits.orders as o
    set state = 'failed'
    where o.account_id = p_attempt.account_id and o.order_id = p_attempt.order_id and o.state = 'processing';

    -- What follows for the next one, if the user has not agreed to something else, or withdrawn, since.
    select t.* into v_topup
    from credits.auto_topups as t
    where t.account_id = p_attempt.account_id and t.consent_id = p_attempt.consent_id and t.state = 'on';
    if not found then
        return true;
    end if;
    v_declines := v_topup.declines + case p_state when 'declined' then 1 else 0 end;
    update credits.auto_topups as t
    set
        declines = v_declines, failures = t.failures + 1, wanted = true, changed_at = p_at,
        next_try_at = greatest(t.next_try_at, credits.later(p_at, credits.cooldown(t.failures + 1)))
    where t.account_id = p_attempt.account_id;
    perform credits.set_topup_due(p_attempt.account_id);
    if v_declines >= 3 then
        perform credits.stop_topup(p_attempt.account_id, 'declined', p_attempt.attempt_id);
    elsif p_state = 'authentication_required' then
        perform credits.pause_topup(p_attempt.account_id, 'authentication_required', p_attempt.attempt_id);
    elsif p_state in ('declined', 'failed', 'canceled') then
        perform credits.tell_topup(p_attempt.account_id, 'top_up_failed', p_reason, p_attempt.order_id);
    end if;
    return true;
end
$$;
comment on function credits.end_attempt(credits.topup_attempts, text, text, timestamptz) is
'Ends an open attempt of a locked wallet without money: declined, authentication_required, canceled or failed. Returns '
'false when it has ended already.';

create or replace function credits.succeed_attempt(
    p_account_id uuid, p_order_id uuid, p_payment_intent_id text, p_at timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_attempt credits.topup_attempts;
begin
    -- The reason stays: it tells that the card was charged only after the attempt had failed.
    update credits.topup_attempts as a
    set state = 'succeeded', payment_intent_id = p_payment_intent_id, ended_at = coalesce(a.ended_at, p_at)
    where a.account_id = p_account_id and a.order_id = p_order_id
    returning a.* into v_attempt;

    -- Charging worked, so what failed before does not count any more. A stop that this attempt caused ends with it.
    update credits.auto_topups as t
    set
        state = case when s.lifted then 'on' else t.state end,
        reason = case when s.lifted then null else t.reason end,
        stopped_by = case when s.lifted then null else t.stopped_by end,
        link = case when s.lifted then null else t.link end,
        link_until = case when s.lifted then null else t.link_until end,
        declines = 0, failures = 0, wanted = s.low, changed_at = p_at,
        next_try_at = case when s.low then credits.later(p_at, '1 hour') else '-infinity' end
    from (
        select
            (x.stopped_by = v_attempt.attempt_id) is true as lifted,
            (w.balance - w.held < x.threshold) is true as low
        from credits.auto_topups as x
        inner join credits.wallets as w on x.account_id = w.account_id
        where x.account_id = p_account_id
    ) as s
    where t.account_id = p_account_id and t.consent_id = v_attempt.consent_id;
    perform credits.set_topup_due(p_account_id);
end
$$;
comment on function credits.succeed_attempt(uuid, uuid, text, timestamptz) is
'Records that the card was charged for the order of an attempt, after its tokens were granted. The wallet is locked.';
