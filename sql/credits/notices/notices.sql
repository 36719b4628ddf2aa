-- Notices to users: rows of the outbox, written by the transaction that caused them, once each time the balance passes
-- a threshold.

create or replace function credits.notice_levels_of(
    p_account_id uuid,
    out low numeric,
    out low_armed boolean,
    out depleted_armed boolean
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Round a percentage up at ledger scale, because the permit ends at it, and lots and wallets have no finer amounts.
    -- Without a grant there is no threshold.
    select
        nullif(coalesce(
            n.below, ceil(n.percent * n.basis * 10000) / 1000000.000000,
            r.below, ceil(r.percent * n.basis * 10000) / 1000000.000000
        ), 0),
        coalesce(n.low_armed, true),
        case when d.kind is not null then coalesce(n.depleted_armed, true) end
    into low, low_armed, depleted_armed
    from (values (p_account_id)) as a (account_id)
    left join credits.notice_levels as n on a.account_id = n.account_id
    left join credits.notice_rules as r on r.kind = 'low_balance'
    left join credits.notice_rules as d on d.kind = 'depleted';
end
$$;
comment on function credits.notice_levels_of(uuid) is
'The threshold of an account''s low balance, or null, and which notices are armed. depleted_armed is null if the '
'bank has no such rule.';

create or replace function credits.next_level(p_account_id uuid, p_available numeric)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_levels constant record := credits.notice_levels_of(p_account_id);
begin
    if (v_levels.low_armed and v_levels.low <= p_available) is true then
        return v_levels.low;
    elsif (v_levels.depleted_armed and p_available > 0) is true then
        -- The threshold of depleted is the least that anything costs. For an account that already has less, it is zero.
        return (
            select case when (c.least <= p_available) is true then c.least else 0.000001 end
            from credits.least_charge() as c (least)
        );
    end if;
    return null;
end
$$;
comment on function credits.next_level(uuid, numeric) is
'The threshold that writes the next notice when the balance falls below it. Null: no notice will be written.';

create or replace function credits.write_notices(p_account_id uuid, p_before numeric, p_after numeric)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_levels constant record := credits.notice_levels_of(p_account_id);
    v_held numeric;
    v_balance numeric;
    v_before numeric;
    v_after numeric;
    v_low_armed boolean;
    v_depleted_armed boolean;
begin
    if num_nonnulls(v_levels.low, v_levels.depleted_armed) = 0 then
        return;
    end if;
    select w.held, w.balance into v_held, v_balance from credits.wallets as w where w.account_id = p_account_id;
    v_before := p_before - v_held;
    v_after := p_after - v_held;

    -- 1. The balance has fallen through an armed threshold. A threshold that was lowered since may be armed.
    if (
        (v_levels.low_armed or v_before > 1.1 * v_levels.low) and v_before >= v_levels.low and v_after < v_levels.low
    ) is true then
        perform credits.put_notice(
            p_account_id, 'low_balance',
            jsonb_build_object('balance', trim_scale(v_after), 'threshold', trim_scale(v_levels.low))
        );
        v_low_armed := false;
    elsif (not v_levels.low_armed and v_after > 1.1 * v_levels.low) is true then
        v_low_armed := true;
    end if;

    -- 2. What is left pays for nothing. If several charges are written at once, the last one decides, because the lots
    --    are as it leaves them.
    if v_levels.depleted_armed is true then
        if (v_before > 0 and v_after < v_before and p_after = v_balance) is true then
            if credits.pays_for_something(p_account_id, v_after) is not true then
                perform credits.put_notice(
                    p_account_id, 'depleted', jsonb_build_object('balance', trim_scale(v_after))
                );
                v_depleted_armed := false;
            end if;
        end if;
    elsif v_levels.depleted_armed is false then
        if (v_after > v_before) is true and credits.pays_for_something(p_account_id, v_after) is true then
            v_depleted_armed := true;
        end if;
    end if;

    -- 3. Remember.
    if num_nonnulls(v_low_armed, v_depleted_armed) > 0 then
        insert into credits.notice_levels as n (account_id, low_armed, depleted_armed)
        values (p_account_id, coalesce(v_low_armed, true), coalesce(v_depleted_armed, true))
        on conflict (account_id) do update
        set
            low_armed = coalesce(v_low_armed, n.low_armed),
            depleted_armed = coalesce(v_depleted_armed, n.depleted_armed);
    end if;
end
$$;
comment on function credits.write_notices(uuid, numeric, numeric) is
'Writes the notices that a change of a locked wallet''s balance requires, and arms those whose threshold it has risen '
'above.';

create or replace function credits.put_notice(p_account_id uuid, p_kind text, p_facts jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_notice_id constant uuid := gen_random_uuid();
begin
    insert into credits.outbox (account_id, notice_id, kind, facts, created_at)
    values (p_account_id, v_notice_id, p_kind, p_facts, credits.clock());
    perform credits.fan_out(p_account_id, v_notice_id, p_kind);
end
$$;
comment on function credits.put_notice(uuid, text, jsonb) is
'Puts a notice in the outbox, and a message for each endpoint that takes its kind. The kinds are in '
'credits.notice_kinds.';

-- A bonus counts together with its purchase: a percentage is never taken of a bonus alone.
create or replace function credits.note_grant(p_account_id uuid, p_source credits.entry_kind, p_tokens numeric)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_purchase constant boolean := p_source = 'purchase';
    v_bonus constant boolean := p_source = 'bonus';
begin
    insert into credits.notice_levels as n (account_id, last_purchase, basis)
    values (p_account_id, case when v_purchase is true then p_tokens else 0 end, p_tokens)
    on conflict (account_id) do update
    set
        last_purchase = case
            when v_purchase is true then p_tokens
            when (v_bonus and n.last_purchase > 0) is true then n.last_purchase + p_tokens
            else n.last_purchase
        end;
    perform credits.note_basis(p_account_id);
end
$$;
comment on function credits.note_grant(uuid, credits.entry_kind, numeric) is
'Records the basis of percentages after a grant of p_tokens.';

create or replace function credits.note_basis(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_greatest_lot constant numeric := (
        select max(l.granted)
        from credits.current_lots as l
        where l.account_id = p_account_id and l.live and l.remaining > 0
    );
begin
    -- Tokens were granted, came back or expired. A charge changes nothing, so the threshold does not depend on the lot
    -- that it empties.
    if v_greatest_lot is null then
        return;
    end if;
    update credits.notice_levels as n
    set basis = greatest(n.last_purchase, v_greatest_lot)
    where n.account_id = p_account_id and n.basis <> greatest(n.last_purchase, v_greatest_lot);
end
$$;
comment on function credits.note_basis(uuid) is
'Records as the basis the larger of the last purchase and the greatest lot that has tokens now. If no lot has tokens, '
'the basis stays as it was.';

create or replace function credits.announce_expiries(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock(p_account_id);
    v_lot record;
begin
    for v_lot in
        update credits.lots as l
        set announced = true
        from credits.notice_rules as r
        where
            l.account_id = p_account_id and l.live and not l.announced and l.remaining > l.held
            and r.kind = 'expiring_soon' and l.expires_at > v_now and credits.earlier(l.expires_at, r.ahead) <= v_now
        returning l.lot_id, l.remaining - l.held as tokens, l.expires_at
    loop
        perform credits.put_notice(
            p_account_id, 'expiring_soon',
            jsonb_build_object(
                'lot_id', v_lot.lot_id, 'tokens', trim_scale(v_lot.tokens), 'expires_at', credits.utc_text(v_lot.expires_at)
            )
        );
    end loop;
end
$$;
comment on function credits.announce_expiries(uuid) is
'Puts the lots of a locked wallet that expire soon in the outbox, once each. The caller, credits.catch_up, has folded '
'the head.';

create or replace function credits.define_notice(
    p_kind text,
    p_below numeric default null,
    p_percent numeric default null,
    p_ahead interval default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_ahead > interval '1000 years') is true then
        perform credits.refuse_line('notice', p_kind, 'ahead is 1000 years at most');
    elsif p_below is not null then
        perform credits.check_amount(p_below);
    end if;
    insert into credits.notice_rules as r (kind, below, percent, ahead)
    values (p_kind, p_below, round(p_percent, 6), p_ahead)
    on conflict (kind) do update
    set below = excluded.below, percent = excluded.percent, ahead = excluded.ahead
    where (r.below, r.percent, r.ahead) is distinct from (excluded.below, excluded.percent, excluded.ahead);
    if found then
        perform credits.make_due();
    end if;
exception
    when check_violation or not_null_violation or numeric_value_out_of_range or sqlstate 'PT422' then
        perform credits.refuse_line('notice', p_kind, sqlerrm);
end
$$;
comment on function credits.define_notice(text, numeric, numeric, interval) is
'When users are told something: low_balance (p_below tokens, or p_percent of the last purchase or the greatest lot), '
'depleted, expiring_soon (p_ahead of the expiry). A changed rule locks every wallet. So these lines come before '
'modules, prices and campaigns, which have locks of their own. Raises PT422 bad_catalog.';
