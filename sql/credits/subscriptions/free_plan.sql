-- The free plan: an allowance for each of its periods, without Stripe. Its periods count from the moment at which the
-- account took it. A period in which nobody touched the account is skipped: its tokens would have expired unseen.
--
-- An account with a paid plan keeps its free one, which gives nothing meanwhile. When the paid plan ends, the free plan
-- gives the allowance of the period that runs, if it has not given it yet. So it gives at most once in each period,
-- however often somebody subscribes and cancels.

create or replace function credits.has_paid_plan(p_account_id uuid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return exists (
        select
        from credits.subscriptions as s
        where s.account_id = p_account_id and s.status in ('trialing', 'active', 'past_due')
    );
end
$$;
comment on function credits.has_paid_plan(uuid) is
'Whether an account has a subscription whose plan takes the place of the free one: on trial, active or past due.';

-- The period that a moment is in. Each period begins at a multiple of the length after the anchor: adding month by
-- month would lose the 31st for ever after February.
create or replace function credits.period_at(
    p_anchor_at timestamptz,
    p_unit text,
    p_count bigint,
    p_at timestamptz,
    out starts_at timestamptz,
    out ends_at timestamptz
)
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_months constant integer not null := p_count * case when (p_unit = 'year') is true then 12 else 1 end;
    -- Never more periods than there have been: no month is longer than 31 days.
    v_passed integer := trunc(extract(epoch from p_at - p_anchor_at) / (31 * 86400) / v_months);
begin
    while (credits.later(p_anchor_at, make_interval(months => (v_passed + 1) * v_months)) <= p_at) is true loop
        v_passed := v_passed + 1;
    end loop;
    starts_at := credits.later(p_anchor_at, make_interval(months => v_passed * v_months));
    ends_at := credits.later(p_anchor_at, make_interval(months => (v_passed + 1) * v_months));
end
$$;
comment on function credits.period_at(timestamptz, text, bigint, timestamptz) is
'The period that p_at is in, of p_count months or years (p_unit), counted from p_anchor_at, which is not later.';

create or replace function credits.begin_free_period(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock(p_account_id);
    v_last credits.free_periods;
    v_terms credits.plan_versions;
    v_span record;
    v_lot credits.lots;
begin
    -- 1. Does the account have the free plan, and is there one?
    select f.* into v_last
    from credits.free_periods as f
    where f.account_id = p_account_id
    order by f.period_starts_at desc
    limit 1;
    if not found or v_last.lot_id is not null and (v_last.period_ends_at > v_now) is true then
        return;
    end if;
    select p.plan_id into v_terms.plan_id from credits.plans as p where p.free and p.active;
    if not found then
        return;
    end if;
    v_terms := credits.plan_terms(v_terms.plan_id);

    -- 2. A new period.
    if (v_last.period_ends_at <= v_now) is true then
        v_span := credits.period_at(v_last.anchor_at, v_terms.period_unit, v_terms.period_count, v_now);
        insert into credits.free_periods (
            account_id, period_starts_at, period_ends_at, anchor_at, plan_id, version
        )
        values (
            -- After a change of its length, a period may have begun within the one before.
            p_account_id,
            case when (v_span.starts_at > v_last.period_ends_at) is true then v_span.starts_at else v_last.period_ends_at end,
            v_span.ends_at, v_last.anchor_at,
            v_terms.plan_id, v_terms.version
        )
        returning * into v_last;
    end if;

    -- 3. Its allowance.
    if credits.has_paid_plan(p_account_id)
        or (select w.status = 'active' from credits.wallets as w where w.account_id = p_account_id) is not true then
        return;
    end if;
    select v.* into v_terms
    from credits.plan_versions as v
    where v.plan_id = v_last.plan_id and v.version = v_last.version;
    v_lot.account_id := p_account_id;
    v_lot.source := 'allowance';
    v_lot.package_name := (select p.title from credits.plans as p where p.plan_id = v_terms.plan_id);
    v_lot.granted := v_terms.allowance;
    v_lot.priority := v_terms.priority;
    v_lot.scope := v_terms.scope;
    v_lot.effective_at := v_now;
    v_lot.expires_at := v_last.period_ends_at;
    v_lot.unit_cost := 0;
    update credits.free_periods as f
    set lot_id = credits.put_lot(v_lot)
    where f.account_id = p_account_id and f.period_starts_at = v_last.period_starts_at;
end
$$;
comment on function credits.begin_free_period(uuid) is
'Grants the allowance of the free plan''s present period to an account that has that plan, once. Does nothing while '
'the account has a paid plan or is not active. The wallet is locked.';
