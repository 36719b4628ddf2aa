-- A plan: so many tokens in each period, for so much money, or free. The terms of a plan are never edited. Changed
-- terms are a new version, which later subscribers get. A subscriber keeps the terms of the price that they pay at
-- Stripe.
--
--   1. Find the terms of the plan that are in force, and those of the line.
--   2. Refuse what makes no sense, and what Stripe would not charge.
--   3. Write what the plan is called. Write a version, unless the terms in force are the same.

create or replace function credits.define_plan(
    p_plan_id text,
    p_title text,
    p_allowance numeric,
    p_amount bigint default 0,
    p_currency text default null,
    p_interval text default 'month',
    p_interval_count bigint default 1,
    p_rollover_cap numeric default null,
    p_rollover_percent numeric default null,
    p_rollover_expires_after interval default null,
    p_priority bigint default null,
    p_rollover_priority bigint default null,
    p_trial_days bigint default 0,
    p_trial_allowance numeric default 0,
    p_scope text default null,
    p_popular boolean default false,
    p_position bigint default 0,
    p_stripe_price_id text default null,
    p_active boolean default true
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_known constant credits.plan_versions := credits.plan_terms(p_plan_id);
    v_terms credits.plan_versions;
begin
    -- 1. The terms of the line. The file's price id, otherwise the operator's, otherwise the one that is there.
    perform credits.check_line(p_plan_id, p_title);
    v_terms.plan_id := p_plan_id;
    v_terms.allowance := credits.check_amount(p_allowance);
    v_terms.period_unit := p_interval;
    v_terms.period_count := p_interval_count;
    v_terms.amount := p_amount;
    v_terms.currency := p_currency;
    v_terms.trial_days := p_trial_days;
    v_terms.trial_allowance := case
        when p_trial_allowance is distinct from 0 then credits.check_amount(p_trial_allowance) else 0
    end;
    v_terms.rollover_cap := case when p_rollover_cap is not null then credits.check_amount(p_rollover_cap) end;
    v_terms.rollover_percent := round(p_rollover_percent, 6);
    v_terms.rollover_expires_after := p_rollover_expires_after;
    v_terms.priority := coalesce(p_priority, credits.default_priority('allowance'));
    v_terms.rollover_priority := coalesce(p_rollover_priority, credits.default_priority('rollover'));
    v_terms.scope := p_scope;
    v_terms.stripe_price_id := coalesce(
        p_stripe_price_id, credits.configured_stripe_price(p_plan_id), v_known.stripe_price_id
    );

    -- 2. Refuse.
    perform credits.check_plan(v_terms, p_active);

    -- 3. Write.
    insert into credits.plans as p (plan_id, title, free, popular, position, active)
    values (p_plan_id, p_title, p_amount = 0, p_popular, p_position, p_active)
    on conflict (plan_id) do update
    set
        title = excluded.title, popular = excluded.popular, position = excluded.position, active = excluded.active;
    v_terms.version := v_known.version;
    v_terms.defined_at := v_known.defined_at;
    if to_jsonb(v_terms) is distinct from to_jsonb(v_known) then
        v_terms.version := coalesce(v_known.version, 0) + 1;
        v_terms.defined_at := credits.clock();
        insert into credits.plan_versions select v_terms.*;
    end if;
exception
    when check_violation or not_null_violation or unique_violation or numeric_value_out_of_range or sqlstate 'PT422' then
        perform credits.refuse_line('plan', p_plan_id, sqlerrm);
end
$$;
comment on function credits.define_plan(
    text, text, numeric, bigint, text, text, bigint, numeric, numeric, interval, bigint, bigint, bigint, numeric, text,
    boolean, bigint, text, boolean
) is
'A plan that users subscribe to. p_allowance: tokens for each period, which lasts p_interval_count (1 to 36 months, 1 '
'to 3 years) of p_interval (month or year). p_amount: minor units of p_currency for each period, which Stripe would '
'charge; 0 is the free plan, of which there is at most one. p_rollover_percent: so much of what is left when a period '
'ends rolls over into the next one that is paid; p_rollover_cap: at most so many tokens; without either, nothing does. '
'p_rollover_expires_after: how long these tokens last from the beginning of the next period, by default as long as '
'it. p_trial_days: the length of a free trial, and p_trial_allowance the tokens that it grants. p_scope (module:ID or '
'category:ID) binds the tokens. p_stripe_price_id: by default the one that the operator has configured, otherwise the '
'one that is there stays. Changed terms are a new version for new subscribers. Raises PT422 bad_catalog.';

create or replace function credits.plan_terms(p_plan_id text)
returns credits.plan_versions
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_terms credits.plan_versions;
begin
    select v.* into v_terms
    from credits.plan_versions as v
    where v.plan_id = p_plan_id
    order by v.version desc
    limit 1;
    return v_terms;
end
$$;
comment on function credits.plan_terms(text) is
'The terms of a plan that new subscribers get: its newest version. Nulls when there is no such plan.';

create or replace function credits.check_plan(p_terms credits.plan_versions, p_active boolean)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_why text;
begin
    perform credits.check_currency(p_terms.currency);
    -- A plan that cannot be bought can always be withdrawn.
    if p_terms.amount is distinct from 0 and p_active is not false then
        perform credits.check_charge(p_terms.amount, p_terms.currency);
    end if;
    perform credits.check_scope(p_terms.scope);
    v_why := case
        when (p_terms.period_unit in ('month', 'year')) is not true then 'interval is month or year'
        when (p_terms.rollover_expires_after > interval '1000 years') is true
            then 'tokens that roll over expire after 1000 years at most'
        when p_terms.rollover_expires_after is not null
            and num_nonnulls(p_terms.rollover_cap, p_terms.rollover_percent) = 0
            then 'rollover_expires_after needs rollover_cap or rollover_percent'
        when (p_terms.amount = 0) is true and (
            p_terms.trial_days is distinct from 0 or p_terms.trial_allowance is distinct from 0
            or num_nonnulls(p_terms.rollover_cap, p_terms.rollover_percent, p_terms.stripe_price_id) > 0
        ) is true then 'a free plan has no price at Stripe, no trial and no rollover'
        when p_terms.trial_allowance is distinct from 0 and p_terms.trial_days is not distinct from 0
            then 'trial_allowance needs trial_days'
        when (p_terms.stripe_price_id !~ '^price_[A-Za-z0-9_]{1,240}$') is true
            then format('%L is not the id of a price at Stripe: price_…', p_terms.stripe_price_id)
        when exists (
            select from credits.plans as p where p.plan_id = p_terms.plan_id and p.free is distinct from (p_terms.amount = 0)
        ) then 'a plan stays free, or stays paid: name another one'
        -- A price at Stripe never changes, and one price is of one plan.
        when exists (
            select
            from credits.plan_versions as v
            where
                v.stripe_price_id = p_terms.stripe_price_id
                and (v.plan_id, v.amount, v.currency, v.period_unit, v.period_count) is distinct from (
                    p_terms.plan_id, p_terms.amount, p_terms.currency, p_terms.period_unit, p_terms.period_count
                )
        ) then format(
            '%s is the price of another plan, amount or interval: make another price at Stripe', p_terms.stripe_price_id
        )
        when (p_terms.amount = 0) is true and p_active is not false and exists (
            select from credits.plans as p where p.free and p.active and p.plan_id is distinct from p_terms.plan_id
        ) then 'there is a free plan already: withdraw that one first'
    end;
    if v_why is not null then
        perform credits.fail(422, 'bad_catalog', v_why);
    end if;
end
$$;
comment on function credits.check_plan(credits.plan_versions, boolean) is
'Checks the terms in a line about a plan. Raises PT422 bad_catalog.';
