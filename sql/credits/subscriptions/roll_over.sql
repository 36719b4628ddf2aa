-- What a period left goes over into the next one, if that is paid: as a lot of its own, beside the entry that says what
-- expired. The terms of the next period decide how much. Nothing else is touched: neither the allowance of another
-- subscription, nor what was bought or given.
--
-- A period can leave tokens and be followed by another in any order of events, so this is called for both. A lot goes
-- over once: the unique index of lots by order and source sees to it. Its order is that of the allowance, because the
-- same money has paid for it: a refund of that period takes it back.
create or replace function credits.roll_over(p_account_id uuid, p_order_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock(p_account_id);
    v_lot credits.lots;
    v_period credits.subscription_invoices;
    v_next credits.subscription_invoices;
    v_terms credits.plan_versions;
    v_tokens numeric;
begin
    select l.* into v_lot
    from credits.lots as l
    where l.account_id = p_account_id and l.order_id = p_order_id and l.source = 'allowance';
    select i.* into v_period
    from credits.subscription_invoices as i
    where i.account_id = p_account_id and i.order_id = p_order_id;
    select i.* into v_next
    from credits.subscription_invoices as i
    where
        i.account_id = p_account_id and i.subscription_id = v_period.subscription_id
        and i.period_starts_at = v_period.period_ends_at
    order by i.created_at, i.invoice_id
    limit 1;
    if (v_lot.expires_at <= v_now and v_next.order_id is not null) is not true or exists (
        select
        from credits.lots as l
        where l.account_id = p_account_id and l.order_id = p_order_id and l.source = 'rollover'
    ) then
        return;
    end if;
    select v.* into strict v_terms
    from credits.plan_versions as v
    where v.plan_id = v_next.plan_id and v.version = v_next.version;

    -- The percentage of what is left, within what the cap leaves: a period may have several lots, after an upgrade.
    v_tokens := trunc(v_period.unused * case
        when v_terms.rollover_percent is not null then v_terms.rollover_percent / 100
        when v_terms.rollover_cap is not null then 1
        else 0
    end, 6);
    v_tokens := credits.tighter(
        v_tokens,
        v_terms.rollover_cap * v_next.quantity - credits.rolled_into(p_account_id, v_next.subscription_id, v_next.period_starts_at)
    );
    if (v_tokens > 0) is not true then
        return;
    end if;
    v_lot.source := 'rollover';
    v_lot.granted := v_tokens;
    v_lot.priority := v_terms.rollover_priority;
    v_lot.effective_at := case
        when (v_next.period_starts_at > v_now) is true then v_now else v_next.period_starts_at
    end;
    v_lot.expires_at := coalesce(
        credits.later(v_next.period_starts_at, v_terms.rollover_expires_after), v_next.period_ends_at
    );
    perform credits.put_lot(v_lot);
    -- No money has moved, so the rewards for it stay. The wallet of a referrer is not locked here.
    perform credits.settle_lots(p_account_id, p_order_id);
    perform credits.settle_debts(p_account_id);
    perform credits.expire_lots(p_account_id);
end
$$;
comment on function credits.roll_over(uuid, uuid) is
'Carries over what the allowance of an order has left, if its period is over and the next one is paid. Does nothing '
'otherwise, or when called again. The wallet is locked.';

create or replace function credits.rolled_into(p_account_id uuid, p_subscription_id text, p_starts_at timestamptz)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(sum(l.granted), 0)
        from credits.subscription_invoices as i
        join credits.lots as l on i.account_id = l.account_id and i.order_id = l.order_id
        where
            i.account_id = p_account_id and i.subscription_id = p_subscription_id
            and i.period_ends_at = p_starts_at and l.source = 'rollover'
    );
end
$$;
comment on function credits.rolled_into(uuid, text, timestamptz) is
'How many tokens have gone over into the period of a subscription that starts at this moment.';
