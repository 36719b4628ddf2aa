-- What a paid invoice grants. One rule covers the beginning, the renewal, the upgrade and the downgrade of a
-- subscription: a line that charges a share of a plan's price brings the same share of its allowance.
--
--   the full price        the allowance, once for each unit of the quantity
--   nothing, at the start  a trial: what the plan gives for a trial
--   a proration           the share of the allowance that its amount is of the price. Somebody who upgrades in the
--                         middle of a period pays half of the difference, and gets half of the difference in tokens.
--                         This is what people expect who look at what they were charged; and it depends only on the
--                         invoice, not on what the bank knew when it came
--   a credit              the same, below 0, as long as the sum of the prorations is not below 0. Otherwise the plan
--                         has become smaller: what is charged is granted, and what is credited has come back, so it is
--                         settled like a refund (settle_credits.sql)
--   another's credit      a subscription was cancelled at once, and Stripe credits the rest of its period on the
--                         customer's next invoice. That is settled in the same way
create or replace function credits.invoice_period(
    p_invoice jsonb,
    out plan_id text,
    out version bigint,
    out quantity bigint,
    out starts_at timestamptz,
    out ends_at timestamptz,
    out tokens numeric,
    out amount numeric,
    out discount numeric,
    out credited numeric,
    out credited_from timestamptz,
    out credited_until timestamptz,
    out cancelled_id text,
    out problem text
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_main record;
    v_rest record;
begin
    problem := credits.period_problem(p_invoice);
    if problem is not null then
        return;
    end if;
    -- The line of the period itself, or of an upgrade within it.
    select l.* into v_main
    from credits.plan_lines(p_invoice) as l
    order by l.proration, l.amount desc
    limit 1;
    plan_id := v_main.plan_id;
    version := v_main.version;
    quantity := v_main.quantity;
    starts_at := v_main.starts_at;
    ends_at := v_main.ends_at;
    discount := 0;
    if v_main.proration is true then
        tokens := 0;
        amount := 0;
    elsif (v_main.amount = 0) is true then
        tokens := v_main.quantity * case
            when (p_invoice ->> 'billing_reason' = 'subscription_create') is true then v_main.trial_allowance
            else 0
        end;
        amount := 0;
    else
        tokens := v_main.quantity * v_main.allowance;
        amount := v_main.amount;
    end if;
    select
        coalesce(sum(l.discount) filter (where l.amount > 0), 0) as discount,
        coalesce(sum(l.amount) filter (where l.proration and l.cancelled_id is null), 0) as amount,
        coalesce(
            sum(l.allowance * l.amount / l.price) filter (where l.proration and l.cancelled_id is null), 0
        ) as tokens,
        coalesce(sum(l.amount) filter (where l.proration and l.amount > 0), 0) as charged,
        coalesce(sum(l.allowance * l.amount / l.price) filter (where l.proration and l.amount > 0), 0) as gained,
        coalesce(-sum(l.amount) filter (where l.proration and l.amount < 0), 0) as credited,
        min(l.starts_at) filter (where l.proration and l.amount < 0) as credited_from,
        max(l.ends_at) filter (where l.proration and l.amount < 0) as credited_until,
        min(l.cancelled_id) as cancelled_id
    into v_rest
    from credits.plan_lines(p_invoice) as l;
    -- Cut to whole tokens: never more than was paid for.
    if (v_rest.amount >= 0 and v_rest.tokens >= 0) is true then
        -- Shares like 11/9 and 2/9 are cut at many digits. Rounded, they make a whole token again.
        tokens := tokens + trunc(round(v_rest.tokens, 9));
        amount := amount + v_rest.amount;
        credited := 0;
    else
        tokens := tokens + trunc(v_rest.gained);
        amount := amount + v_rest.charged;
    end if;
    if credited is null or v_rest.cancelled_id is not null then
        credited := v_rest.credited;
        credited_from := v_rest.credited_from;
        credited_until := v_rest.credited_until;
        cancelled_id := v_rest.cancelled_id;
    end if;
    discount := least(coalesce(v_rest.discount, 0), greatest(coalesce(amount, 0), 0));
end
$$;
comment on function credits.invoice_period(jsonb) is
'The plan, the period and the tokens of a paid invoice, and what its price is (amount, discount: minor units). '
'credited: how much of the period, from credited_from until credited_until, came back, because the plan has become '
'smaller, or the subscription cancelled_id has ended. problem: why a person must look at it; then the rest is null.';

create or replace function credits.period_problem(p_invoice jsonb)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_problem text := credits.invoice_problem(p_invoice);
    v_lines record;
    v_line record;
begin
    select
        count(*) as plans,
        count(*) filter (where l.proration is not true) as periods,
        count(distinct l.plan_id) filter (where l.proration and l.amount > 0) as upgrades,
        count(distinct l.cancelled_id) as cancelled,
        count(*) filter (where l.proration and l.amount < 0 and l.cancelled_id is null) as own_credits,
        count(*) filter (where l.amount >= 0) as charges
    into v_lines
    from credits.plan_lines(p_invoice) as l;
    v_problem := coalesce(v_problem, case
        when v_lines.plans = 0 then 'no plan has the price of this invoice'
        when v_lines.periods > 1 or (v_lines.periods = 0 and v_lines.upgrades > 1)
            then 'several plans on one invoice'
        when v_lines.cancelled > 1 or (v_lines.cancelled = 1 and v_lines.own_credits > 0)
            then 'credits of several subscriptions on one invoice'
        when v_lines.periods = 0 and v_lines.charges > 0
            and p_invoice ->> 'billing_reason' is distinct from 'subscription_update'
            then 'no period of a plan on this invoice'
    end);
    for v_line in select l.* from credits.plan_lines(p_invoice) as l where v_problem is null loop
        v_problem := coalesce(v_problem, case
            when p_invoice -> 'currency' is distinct from to_jsonb(v_line.currency)
                then format('currency %s, the plan is sold in %s', p_invoice ->> 'currency', v_line.currency)
            when (v_line.quantity between 1 and 1000000) is not true
                then format('a quantity of %s', coalesce(v_line.quantity::text, 'something else than a number'))
            when (v_line.allowance * v_line.quantity < 1000000000000) is not true then 'an allowance beyond 10^12 tokens'
            when (v_line.starts_at < v_line.ends_at) is not true then 'a period that cannot be read'
            when v_line.proration is not true and (v_line.amount in (v_line.price * v_line.quantity, 0)) is not true
                then format(
                    '%s for %s of %s, which costs %s', v_line.amount, v_line.quantity, v_line.plan_id, v_line.price
                )
            when v_line.proration is true and (abs(v_line.amount) <= v_line.price * v_line.quantity) is not true
                then format('a proration of %s, of a price of %s', v_line.amount, v_line.price * v_line.quantity)
            when (v_line.discount <= v_line.amount or v_line.discount = 0) is not true
                then format('a discount of %s on %s', v_line.discount, v_line.amount)
        end);
    end loop;
    return left(v_problem, 200);
end
$$;
comment on function credits.period_problem(jsonb) is
'Why a paid invoice does not match the terms of a plan, so that a person must look at it. Null when it does.';
