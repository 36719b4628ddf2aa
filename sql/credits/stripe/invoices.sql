-- Events about invoices of subscriptions: what they do to the period that the invoice is for.
--
-- invoice.paid and invoice.payment_succeeded report the same thing. Whichever comes first grants, once per invoice, for
-- ever. The order of an invoice has an id made from the invoice's, so every event of an invoice names the same order.

create or replace function credits.order_of_invoice(p_invoice_id text)
returns uuid
language sql
immutable
parallel safe
return left(encode(sha256(convert_to('invoice:' || p_invoice_id, 'UTF8')), 'hex'), 32)::uuid;
comment on function credits.order_of_invoice(text) is
'The id of the order that a paid invoice makes. Null for null.';

create or replace function credits.find_invoice(
    p_event credits.stripe_events, out account_id uuid, out order_id uuid
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_invoice constant jsonb := p_event.payload #> '{data,object}';
    v_invoice_id constant text := case
        when (p_event.type = 'invoice_payment.paid') is true then credits.stripe_id(v_invoice -> 'invoice') else p_event.object_id
    end;
begin
    if (p_event.type = 'invoice_payment.paid') is true then
        -- It names the invoice and its payment, and nothing else.
        select i.account_id, i.order_id into account_id, order_id
        from credits.stripe_objects as s
        join credits.subscription_invoices as i on s.account_id = i.account_id and s.order_id = i.order_id
        where s.object_id = v_invoice_id;
    elsif credits.invoice_subscription(v_invoice) is not null then
        account_id := credits.account_of_subscription(
            credits.invoice_subscription(v_invoice), credits.subscription_metadata(v_invoice),
            credits.stripe_id(v_invoice -> 'customer')
        );
        if account_id is not null then
            order_id := credits.order_of_invoice(v_invoice_id);
        end if;
    else
        -- Checkout may make an invoice for a purchase.
        select f.account_id, f.order_id into account_id, order_id from credits.find_payment(p_event.names) as f;
    end if;
end
$$;
comment on function credits.find_invoice(credits.stripe_events) is
'The account whose subscription an invoice is of, and the order that the invoice makes. Nulls when it is of nobody '
'known.';

create or replace function credits.is_other_invoice(p_event credits.stripe_events)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_event.payload #> '{data,object,object}' is not distinct from '"invoice"'
        and credits.invoice_subscription(p_event.payload #> '{data,object}') is null;
end
$$;
comment on function credits.is_other_invoice(credits.stripe_events) is
'Whether an event is about an invoice that is of no subscription.';

create or replace function credits.apply_invoice(
    p_event credits.stripe_events, out outcome text, out reason text, out entry_id text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_invoice constant jsonb := p_event.payload #> '{data,object}';
    v_type constant text not null := p_event.type;
    v_known credits.subscription_invoices;
begin
    if v_type = 'invoice_payment.paid' then
        outcome := credits.note_payment(p_event);
        return;
    elsif credits.invoice_subscription(v_invoice) is null then
        outcome := 'stored';
        reason := 'not an invoice of a subscription: it grants nothing';
        return;
    end if;

    -- 1. An object that belongs to somebody else. The same contradiction in another event is nothing new.
    reason := credits.subscription_problem(
        p_event, credits.invoice_subscription(v_invoice), credits.stripe_id(v_invoice -> 'customer')
    );
    select i.* into v_known
    from credits.subscription_invoices as i
    where i.account_id = p_event.account_id and i.invoice_id = p_event.object_id;
    if reason is null and v_type in ('invoice.paid', 'invoice.payment_succeeded') and v_known.order_id is null
        and credits.is_for_period(v_invoice) then
        reason := coalesce(credits.period_problem(v_invoice), credits.nobody_to_grant(p_event.account_id), case
            when exists (
                select
                from credits.stripe_objects as s
                where
                    s.object_id = any (credits.payment_names(p_event))
                    and s.order_id is distinct from p_event.order_id
            ) then 'an invoice or payment that another order was granted for'
        end);
    end if;
    if reason is not null then
        outcome := credits.parked_or_duplicate(p_event);
        return;
    end if;

    -- 2. What it says of the invoice.
    perform credits.note_invoice(p_event);

    -- 3. What follows.
    if v_type in ('invoice.paid', 'invoice.payment_succeeded') then
        select p.outcome, p.reason, p.entry_id into outcome, reason, entry_id
        from credits.pay_invoice(p_event, v_known) as p;
    else
        outcome := case
            when v_type = 'invoice.payment_failed' then credits.tell_failed_payment(p_event, v_known)
            else 'applied'
        end;
    end if;
end
$$;
comment on function credits.apply_invoice(credits.stripe_events) is
'Does what an event of an invoice says. The caller holds the locks of credits.lock_with_referrer.';

create or replace function credits.is_for_period(p_invoice jsonb)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        p_invoice ->> 'billing_reason' in ('subscription_create', 'subscription_cycle', 'subscription_update')
    ) is true or exists (
        -- A subscription that is cancelled at once may have a last invoice, which only credits.
        select from credits.plan_lines(p_invoice) as l where l.proration and l.amount < 0
    );
end
$$;
comment on function credits.is_for_period(jsonb) is
'Whether an invoice is for a period of a subscription, or for a change within one, or credits a part of one. Never '
'null.';

create or replace function credits.pay_invoice(
    p_event credits.stripe_events,
    p_known credits.subscription_invoices,
    out outcome text,
    out reason text,
    out entry_id text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_invoice constant jsonb := p_event.payload #> '{data,object}';
    v_period record;
begin
    if (p_known.state = 'paid') is true then
        outcome := 'duplicate';
        return;
    elsif not credits.is_for_period(v_invoice) then
        outcome := 'applied';
        reason := left(
            format('an invoice for %s grants nothing', coalesce(v_invoice ->> 'billing_reason', 'an unknown reason')), 200
        );
        return;
    end if;
    v_period := credits.invoice_period(v_invoice);
    if (v_period.tokens > 0) is true and credits.is_second_trial(p_event, v_period.amount) then
        outcome := 'applied';
        reason := 'the account has had the tokens of a trial';
    elsif (v_period.tokens > 0) is true then
        entry_id := credits.grant_period(p_event);
        outcome := 'granted';
    else
        outcome := 'applied';
        reason := 'it charges for no tokens: a trial, a credit, or a period that costs nothing';
    end if;
    if (v_period.credited > 0) is true then
        update credits.subscription_invoices as i
        set
            credited = v_period.credited, credited_from = v_period.credited_from,
            credited_until = v_period.credited_until, credited_subscription_id = v_period.cancelled_id
        where i.account_id = p_event.account_id and i.invoice_id = p_event.object_id;
        perform credits.settle_credits(
            p_event.account_id, coalesce(v_period.cancelled_id, credits.invoice_subscription(v_invoice)),
            v_period.credited_until
        );
    end if;
end
$$;
comment on function credits.pay_invoice(credits.stripe_events, credits.subscription_invoices) is
'Grants a paid invoice, unless it was paid before (p_known: the invoice as it was known until now).';

-- Somebody may open many checkouts with a trial before the first subscription is known.
create or replace function credits.is_second_trial(p_event credits.stripe_events, p_amount numeric)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_amount is not distinct from 0
        and p_event.payload #>> '{data,object,billing_reason}' is not distinct from 'subscription_create'
        and exists (
            select
            from credits.orders as o
            where
                o.account_id = p_event.account_id and o.kind = 'subscription' and o.amount = 0
                and o.order_id is distinct from p_event.order_id
        );
end
$$;
comment on function credits.is_second_trial(credits.stripe_events, numeric) is
'Whether a paid invoice over p_amount begins a trial of an account that has had the tokens of another trial.';

create or replace function credits.note_invoice(p_event credits.stripe_events)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_invoice constant jsonb := p_event.payload #> '{data,object}';
    v_subscription_id constant text := credits.invoice_subscription(v_invoice);
    v_type constant text not null := p_event.type;
    v_state constant text not null := case v_type
        when 'invoice.paid' then 'paid'
        when 'invoice.payment_succeeded' then 'paid'
        when 'invoice.voided' then 'void'
        when 'invoice.marked_uncollectible' then 'uncollectible'
        else 'open'
    end;
    v_ranks constant text[] := array['open', 'uncollectible', 'void', 'paid'];
begin
    perform credits.note_customer(p_event.account_id, credits.stripe_id(v_invoice -> 'customer'), null);
    insert into credits.subscriptions as s (account_id, subscription_id, status, created_at)
    values (
        p_event.account_id, v_subscription_id,
        case
            when v_state = 'paid' then 'active'
            when (v_invoice ->> 'billing_reason' = 'subscription_create') is true then 'incomplete'
            else 'past_due'
        end,
        credits.clock(p_event.account_id)
    )
    on conflict (account_id, subscription_id) do update
    set status = excluded.status
    where s.said_by is null and s.status <> excluded.status and excluded.status = 'active';
    insert into credits.subscription_invoices as i (
        account_id, invoice_id, subscription_id, state, attempts, amount_due, currency, pay_url, next_attempt_at,
        created_at
    )
    values (
        p_event.account_id, p_event.object_id, v_subscription_id, v_state,
        case
            when v_type = 'invoice.payment_failed'
                then greatest(coalesce(credits.stripe_amount(v_invoice -> 'attempt_count'), 1), 1)
            else 0
        end,
        credits.stripe_amount(v_invoice -> 'amount_due'), v_invoice ->> 'currency',
        credits.payment_page(v_invoice), credits.stripe_time(v_invoice -> 'next_payment_attempt'),
        credits.clock(p_event.account_id)
    )
    on conflict (account_id, invoice_id) do update
    set
        state = case
            when (array_position(v_ranks, excluded.state) > array_position(v_ranks, i.state)) is true then excluded.state
            else i.state
        end,
        next_attempt_at = case
            when excluded.attempts > i.attempts then excluded.next_attempt_at else i.next_attempt_at
        end,
        attempts = greatest(i.attempts, excluded.attempts),
        pay_url = coalesce(i.pay_url, excluded.pay_url);
end
$$;
comment on function credits.note_invoice(credits.stripe_events) is
'Records what an event says of an invoice: the furthest state that any of its events reported.';

create or replace function credits.payment_page(p_invoice jsonb)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_url constant text := case
        when (jsonb_typeof(p_invoice -> 'hosted_invoice_url') = 'string') is true then p_invoice ->> 'hosted_invoice_url'
    end;
begin
    return case when (v_url ~ '^https?://[!-~]+$' and length(v_url) <= 2000) is true then v_url end;
end
$$;
comment on function credits.payment_page(jsonb) is
'The page at Stripe on which an invoice can be paid. Null if the invoice names none.';

create or replace function credits.tell_failed_payment(
    p_event credits.stripe_events, p_known credits.subscription_invoices
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_invoice credits.subscription_invoices;
begin
    select i.* into strict v_invoice
    from credits.subscription_invoices as i
    where i.account_id = p_event.account_id and i.invoice_id = p_event.object_id;
    -- An attempt that was told before, or has been overtaken.
    if v_invoice.state <> 'open' or v_invoice.attempts <= coalesce(p_known.attempts, 0) then
        return 'duplicate';
    end if;
    perform credits.put_notice(
        p_event.account_id, 'payment_failed',
        jsonb_strip_nulls(jsonb_build_object(
            'subscription_id', v_invoice.subscription_id, 'invoice_id', v_invoice.invoice_id,
            'amount', v_invoice.amount_due, 'currency', v_invoice.currency, 'attempts', v_invoice.attempts,
            'next_attempt_at', credits.utc_text(v_invoice.next_attempt_at), 'pay_url', v_invoice.pay_url
        ))
    );
    return 'applied';
end
$$;
comment on function credits.tell_failed_payment(credits.stripe_events, credits.subscription_invoices) is
'Tells the user that an invoice was not paid, once for each attempt (p_known: the invoice as it was known until now). '
'Returns the outcome.';

create or replace function credits.note_payment(p_event credits.stripe_events)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_payment constant jsonb := p_event.payload #> '{data,object,payment}';
    v_names constant text[] := array_remove(
        array[credits.stripe_id(v_payment -> 'payment_intent'), credits.stripe_id(v_payment -> 'charge')], null
    );
begin
    insert into credits.stripe_objects (object_id, account_id, order_id)
    select n.name, p_event.account_id, p_event.order_id
    from unnest(v_names) as n (name)
    on conflict (object_id) do nothing;
    if not found then
        return 'duplicate';
    end if;
    update credits.orders as o
    set payment_intent_id = credits.stripe_id(v_payment -> 'payment_intent')
    where
        o.account_id = p_event.account_id and o.order_id = p_event.order_id and o.payment_intent_id is null
        and credits.stripe_id(v_payment -> 'payment_intent') is not null;
    perform credits.apply_waiting_for(v_names);
    return 'applied';
end
$$;
comment on function credits.note_payment(credits.stripe_events) is
'Records which payment has paid an invoice, so that its refunds and disputes find the order. Returns the outcome.';
