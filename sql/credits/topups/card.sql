-- Which card an automatic top-up charges. Stripe says so when the card was saved for later.
create or replace function credits.note_card(
    p_account_id uuid, p_consent_id uuid, p_customer_id text, p_payment_method_id text
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock(p_account_id);
    v_topup credits.auto_topups;
    v_same boolean not null := false;
    v_helps boolean not null := false;
begin
    select t.* into v_topup
    from credits.auto_topups as t
    where t.account_id = p_account_id and t.consent_id = p_consent_id and t.state <> 'off';
    if not found or num_nonnulls(p_customer_id, p_payment_method_id) < 2 then
        return 'stored';
    elsif exists (
        select
        from credits.topup_consents as c
        where
            c.account_id = p_account_id and c.agreed_id = p_consent_id and c.kind = 'card'
            and c.payment_method_id = p_payment_method_id and v_topup.payment_method_id = p_payment_method_id
            and v_topup.state = 'on'
    ) then
        return 'duplicate';
    end if;
    v_same := (v_topup.payment_method_id = p_payment_method_id) is true;
    -- Another card does not help against a changed price.
    v_helps := (v_topup.state in ('waiting', 'on') or v_topup.reason = 'authentication_required') is true;
    insert into credits.topup_consents (
        account_id, kind, agreed_id, customer_id, payment_method_id, actor, decided_at
    )
    values (p_account_id, 'card', p_consent_id, p_customer_id, p_payment_method_id, credits.actor(), v_now);
    update credits.auto_topups as t
    set
        state = case when v_helps then 'on' else t.state end, reason = case when not v_helps then t.reason end,
        customer_id = p_customer_id, payment_method_id = p_payment_method_id, declines = 0,
        -- The same card has to wait out its cooldown, unless it was only to be confirmed.
        failures = case when v_same and t.state = 'on' then t.failures else 0 end,
        next_try_at = case when v_same and t.state = 'on' then t.next_try_at else '-infinity' end,
        wanted = t.wanted or t.state = 'paused', stopped_by = null, link = null, link_until = null, changed_at = v_now
    where t.account_id = p_account_id;
    perform credits.note_customer(p_account_id, p_customer_id, null);
    perform credits.set_topup_due(p_account_id);
    return 'applied';
end
$$;
comment on function credits.note_card(uuid, uuid, text, text) is
'Records the card that was saved for a consent of a locked wallet, and turns automatic top-up on. Returns applied, '
'duplicate, or stored when the user has withdrawn, or agreed to something else, since.';
