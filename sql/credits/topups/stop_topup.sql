-- Automatic top-up stops or pauses. The user is told why.

create or replace function credits.tell_topup(
    p_account_id uuid, p_kind text, p_reason text, p_order_id uuid default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.put_notice(
        p_account_id, p_kind,
        jsonb_strip_nulls(jsonb_build_object(
            'reason', p_reason, 'state', t.state, 'order_id', p_order_id, 'amount', t.amount, 'currency', t.currency,
            'declines', nullif(t.declines, 0),
            'next_try_at', case when (t.wanted and isfinite(t.next_try_at)) is true then credits.utc_text(t.next_try_at) end,
            'link', t.link,
            'link_until', credits.utc_text(t.link_until)
        ))
    )
    from credits.auto_topups as t
    where t.account_id = p_account_id;
end
$$;
comment on function credits.tell_topup(uuid, text, text, uuid) is
'Writes the notice top_up_failed or top_up_paused, with the present state of the account''s automatic top-up.';

create or replace function credits.cancel_untried(p_account_id uuid, p_reason text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock();
    v_call record;
    v_attempt credits.topup_attempts;
begin
    -- A call that a worker claims at this moment is in flight.
    for v_call in
        select c.call_id, c.made_for
        from credits.stripe_calls as c
        where c.account_id = p_account_id and c.kind = 'charge' and c.state = 'due' and c.tries = 0
        for no key update skip locked
    loop
        update credits.stripe_calls as c
        set state = 'canceled', ended_at = v_now, trouble = left(p_reason, 500)
        where c.account_id = p_account_id and c.call_id = v_call.call_id;
        select a.* into strict v_attempt
        from credits.topup_attempts as a
        where a.account_id = p_account_id and a.attempt_id = v_call.made_for;
        perform credits.end_attempt(v_attempt, 'canceled', p_reason, credits.clock(p_account_id));
    end loop;
end
$$;
comment on function credits.cancel_untried(uuid, text) is
'Cancels the charge of a locked wallet that no worker has tried yet, and its attempt.';

create or replace function credits.stop_topup(p_account_id uuid, p_reason text, p_attempt_id uuid default null)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_consent_id uuid;
begin
    update credits.auto_topups as t
    set
        state = 'off', reason = p_reason, wanted = false, stopped_by = p_attempt_id, link = null, link_until = null,
        changed_at = credits.clock(p_account_id),
        -- Somebody who disputes a payment, or whose card was stolen, does not want that card to be charged again.
        payment_method_id = case
            when p_reason in ('dispute', 'fraud_warning', 'card_gone') then null
            else t.payment_method_id
        end
    where t.account_id = p_account_id and t.state <> 'off'
    returning t.consent_id into v_consent_id;
    if not found then
        return;
    end if;
    insert into credits.topup_consents (account_id, kind, agreed_id, reason, actor, decided_at)
    values (
        p_account_id, case p_reason when 'withdrawn' then 'withdrawal' else 'stop' end, v_consent_id, p_reason,
        credits.actor(), credits.clock(p_account_id)
    );
    perform credits.cancel_untried(p_account_id, p_reason);
    if p_reason <> 'withdrawn' then
        perform credits.tell_topup(
            p_account_id, case p_reason when 'declined' then 'top_up_failed' else 'top_up_paused' end, p_reason
        );
    end if;
end
$$;
comment on function credits.stop_topup(uuid, text, uuid) is
'Turns the automatic top-up of a locked wallet off: withdrawn, declined, dispute, fraud_warning, card_gone or refused. '
'Only a new consent turns it on again. What is in flight may still succeed, and its tokens are granted. p_attempt_id: '
'the attempt that caused it.';

create or replace function credits.pause_topup(p_account_id uuid, p_reason text, p_attempt_id uuid default null)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_topup credits.auto_topups;
begin
    update credits.auto_topups as t
    set
        state = 'paused', reason = p_reason, wanted = false, stopped_by = p_attempt_id, link = null, link_until = null,
        changed_at = credits.clock(p_account_id)
    where t.account_id = p_account_id and t.state = 'on'
    returning t.* into v_topup;
    if not found then
        return;
    end if;
    if (p_reason = 'authentication_required') is true then
        -- The notice follows with the link.
        perform credits.put_call(
            p_account_id, 'confirm_card', p_attempt_id,
            jsonb_build_object(
                'mode', 'setup', 'customer', v_topup.customer_id, 'currency', v_topup.currency,
                'client_reference_id', p_account_id,
                'metadata', jsonb_build_object('account_id', p_account_id, 'consent_id', v_topup.consent_id),
                'setup_intent_data', jsonb_build_object(
                    'metadata', jsonb_build_object('account_id', p_account_id, 'consent_id', v_topup.consent_id)
                )
            )
        );
    else
        perform credits.tell_topup(p_account_id, 'top_up_paused', p_reason);
    end if;
end
$$;
comment on function credits.pause_topup(uuid, text, uuid) is
'Pauses the automatic top-up of a locked wallet: authentication_required (the user must confirm the card, and gets a '
'link), or offer_changed or under_review. p_attempt_id: the attempt that caused it.';
