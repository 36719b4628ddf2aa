-- What an event says about an invoice. Stripe has moved the members of invoices in 2025: the older and the newer places
-- are read. What is not plainly said is not said.

create or replace function credits.stripe_time(p_time jsonb)
returns timestamptz
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_seconds constant numeric := credits.stripe_amount(p_time);
    v_at timestamptz;
begin
    if (v_seconds between 946684800 and 253402300799) is true then
        v_at := to_timestamp(v_seconds::double precision);
    end if;
    return v_at;
end
$$;
comment on function credits.stripe_time(jsonb) is
'A moment at Stripe, in whole seconds, if it is from the year 2000 to 9999; otherwise null.';

create or replace function credits.signed_amount(p_amount jsonb)
returns numeric
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case
        when (jsonb_typeof(p_amount) = 'number') is not true then null
        when p_amount::numeric < 0 then -credits.stripe_amount(to_jsonb(-p_amount::numeric))
        else credits.stripe_amount(p_amount)
    end;
end
$$;
comment on function credits.signed_amount(jsonb) is
'An amount at Stripe that may be below 0, in minor units, if it is a whole number within 10^12; otherwise null.';

create or replace function credits.invoice_subscription(p_invoice jsonb)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce(
        credits.stripe_id(p_invoice #> '{parent,subscription_details,subscription}'),
        credits.stripe_id(p_invoice -> 'subscription')
    );
end
$$;
comment on function credits.invoice_subscription(jsonb) is
'The id of the subscription that an invoice is of. Null for another invoice.';

create or replace function credits.subscription_metadata(p_object jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_metadata constant jsonb := case
        when (p_object -> 'object' = '"subscription"') is true then p_object -> 'metadata'
        else coalesce(
            p_object #> '{parent,subscription_details,metadata}', p_object #> '{subscription_details,metadata}',
            p_object #> '{lines,data,0,metadata}'
        )
    end;
begin
    return case when (jsonb_typeof(v_metadata) = 'object') is true then v_metadata else '{}' end;
end
$$;
comment on function credits.subscription_metadata(jsonb) is
'The metadata that were given to a subscription when it was made, from the subscription or one of its invoices.';

-- The lines of an invoice. Which member of a line is where depends on the version of the API.
create or replace function credits.invoice_lines(p_invoice jsonb)
returns table (
    price_id text, amount numeric, discount numeric, quantity numeric, proration boolean, starts_at timestamptz,
    ends_at timestamptz, subscription_id text
)
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
select
    coalesce(
        credits.stripe_id(l.line #> '{pricing,price_details,price}'), credits.stripe_id(l.line -> 'price'),
        credits.stripe_id(l.line -> 'plan')
    ),
    credits.signed_amount(l.line -> 'amount'),
    (
        select coalesce(sum(credits.stripe_amount(d.discount -> 'amount')), 0)
        from jsonb_path_query(l.line, 'lax $.discount_amounts[*]') as d (discount)
    ),
    case
        when coalesce(l.line -> 'quantity', 'null') = 'null' then 1
        else credits.stripe_amount(l.line -> 'quantity')
    end,
    '"true"' in (
        to_jsonb(l.line #>> '{parent,subscription_item_details,proration}'),
        to_jsonb(l.line #>> '{parent,invoice_item_details,proration}'), to_jsonb(l.line ->> 'proration')
    ) is true,
    credits.stripe_time(l.line #> '{period,start}'),
    credits.stripe_time(l.line #> '{period,end}'),
    coalesce(
        credits.stripe_id(l.line #> '{parent,subscription_item_details,subscription}'),
        credits.stripe_id(l.line #> '{parent,invoice_item_details,subscription}'),
        credits.stripe_id(l.line -> 'subscription')
    )
from jsonb_path_query(p_invoice, 'lax $.lines.data[*]') as l (line)
$$;
comment on function credits.invoice_lines(jsonb) is
'The lines of an invoice: price at Stripe, amount before discounts (below 0 for a credit), discount, quantity, whether '
'it is a proration, the period that it is for, and the subscription if it names one.';

create or replace function credits.invoice_tax(p_invoice jsonb)
returns numeric
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
select coalesce(
    sum(credits.signed_amount(t.tax -> 'amount')), credits.signed_amount(p_invoice -> 'tax'), 0
)
from (
    select x.tax from jsonb_path_query(p_invoice, 'lax $.total_taxes[*]') as x (tax)
    union all
    select x.tax from jsonb_path_query(p_invoice, 'lax $.total_tax_amounts[*]') as x (tax)
    where p_invoice -> 'total_taxes' is null
) as t
$$;
comment on function credits.invoice_tax(jsonb) is 'The taxes on an invoice, included in its prices or on top of them.';

-- Why the money of a paid invoice does not add up.
create or replace function credits.invoice_problem(p_invoice jsonb)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_lines constant numeric := (select sum(l.amount) from credits.invoice_lines(p_invoice) as l);
    v_discount constant numeric := (
        select coalesce(sum(credits.stripe_amount(d.discount -> 'amount')), 0)
        from jsonb_path_query(p_invoice, 'lax $.total_discount_amounts[*]') as d (discount)
    );
    v_tax constant numeric := credits.invoice_tax(p_invoice);
    v_net constant numeric := v_lines - v_discount;
    v_due constant numeric := credits.stripe_amount(p_invoice -> 'amount_due');
    v_total constant numeric := coalesce(credits.signed_amount(p_invoice -> 'total'), v_due);
    v_balance constant numeric := coalesce(credits.signed_amount(p_invoice -> 'starting_balance'), 0);
begin
    return left(case
        when credits.stripe_id(p_invoice -> 'id') is null then 'an invoice without an id that can be kept'
        when p_invoice -> 'status' is distinct from '"paid"'
            then format('a paid invoice with status %s', p_invoice ->> 'status')
        when p_invoice #> '{lines,has_more}' is not distinct from 'true' then 'an invoice with more lines than the event has'
        when v_lines is null or exists (
            select from credits.invoice_lines(p_invoice) as l where l.amount is null
        ) then 'a line without an amount that can be read'
        when (coalesce(credits.signed_amount(p_invoice -> 'subtotal'), v_lines) in (v_lines, v_lines - v_tax)) is not true
            then format('subtotal %s of lines that are %s', p_invoice ->> 'subtotal', v_lines)
        -- Taxes are included in the prices or come on top of them: not every version of the API says which.
        when (v_total between v_net and v_net + v_tax) is not true
            then format('a total of %s: lines %s, discount %s, tax %s', v_total, v_lines, v_discount, v_tax)
        -- The balance that a customer has at Stripe pays first; a debit is collected with the invoice.
        when (
            v_due in (v_total, v_total + v_balance) or (v_due = 0 and (v_total < 0 or v_total + v_balance < 0))
        ) is not true
            then format('%s due of a total of %s', v_due, v_total)
        when (credits.stripe_amount(p_invoice -> 'amount_paid') = v_due) is not true
            and p_invoice -> 'paid_out_of_band' is distinct from 'true'
            then format('%s paid of %s due', p_invoice ->> 'amount_paid', p_invoice ->> 'amount_due')
    end, 200);
end
$$;
comment on function credits.invoice_problem(jsonb) is
'Why the money of a paid invoice does not add up, so that a person must look at it. Null when it does.';
