-- What Stripe's events say about a person is not needed once they are applied. What is left of them are ids, kinds,
-- amounts and times: the audit reads these for ever.

create or replace function credits.without_person(p_value jsonb, p_name text default '', p_depth integer default 0)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    case coalesce(jsonb_typeof(p_value), 'null')
        when 'object' then
            if p_depth > 20 then
                return 'null'::jsonb;
            end if;
            return coalesce(
                (
                    select
                        jsonb_object_agg(
                            m.key,
                            case
                                when jsonb_typeof(m.value) = 'string' then m.value
                                else credits.without_person(m.value, m.key, p_depth + 1)
                            end
                        )
                    from jsonb_each(p_value) as m
                    where credits.may_be_kept(m.key, m.value, p_name)
                ),
                '{}'
            );
        when 'array' then
            if p_depth > 20 then
                return 'null'::jsonb;
            end if;
            -- Places stay: the audit counts the lines of an invoice.
            return coalesce(
                (
                    select jsonb_agg(credits.without_person(e.value, p_name, p_depth + 1) order by e.place)
                    from jsonb_array_elements(p_value) with ordinality as e (value, place)
                ),
                '[]'
            );
        when 'string' then
            -- An element of an array: nothing says what it is.
            return 'null'::jsonb;
        else
            return p_value;
    end case;
end
$$;
comment on function credits.without_person(jsonb, text, integer) is
'An object of Stripe without what it says about a person: ids, kinds, amounts and times are left. p_name: the member '
'that p_value is the value of. p_depth: how deep it is nested; what is more than 20 deep becomes null.';

create or replace function credits.may_be_kept(p_name text, p_value jsonb, p_parent text)
returns boolean
language sql
immutable
return case
    -- Metadata are the caller's: of these, what the bank wrote itself.
    when p_parent = 'metadata'
        then p_name in (
            'account_id', 'order_id', 'kind', 'consent_id', 'attempt_id', 'request_id', 'plan_id', 'plan_version'
        ) and (p_value #>> '{}' ~ '^[A-Za-z0-9_.:-]{1,200}$') is true
    when p_name in (
        'billing_details', 'collected_information', 'custom_fields', 'custom_text', 'customer', 'customer_account',
        'customer_address', 'customer_details', 'customer_shipping', 'evidence', 'last_payment_error',
        'payment_method_details', 'payment_method_options', 'previous_attributes', 'shipping', 'shipping_address',
        'shipping_details'
    ) then false
    when p_name = 'client_reference_id' then (p_value #>> '{}' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$') is true
    when jsonb_typeof(p_value) = 'string'
        then p_name in (
            'id', 'object', 'type', 'status', 'state', 'mode', 'currency', 'presentment_currency', 'payment_status',
            'billing_reason', 'reason', 'payment_intent', 'charge', 'latest_charge', 'invoice', 'subscription',
            'subscription_item', 'refund', 'dispute', 'source', 'payout', 'balance_transaction', 'api_version',
            'failure_balance_transaction', 'failure_code', 'reporting_category', 'price', 'product', 'interval',
            'event', 'exchange_rate', 'usage_type', 'pricing_type', 'tax_behavior'
        ) and (p_value #>> '{}' ~ '^[A-Za-z0-9_.:-]{1,255}$') is true
    else p_value is not null
end;
comment on function credits.may_be_kept(text, jsonb, text) is
'Whether a member of an object of Stripe is kept when what it says about a person goes. p_parent: the member that the '
'object is the value of. Never null for a p_name and p_value that are not null.';

create or replace function credits.slim_events(p_most bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before constant timestamptz := credits.kept_since('stripe_payloads');
    v_slimmed bigint;
begin
    update credits.stripe_events as e
    set
        payload = credits.without_person(e.payload), original = null, trouble = null,
        slimmed_at = credits.clock()
    where e.event_id = any (array(
        select x.event_id
        from credits.stripe_events as x
        where
            x.slimmed_at is null and x.received_at < v_before
            -- Somebody may still apply these.
            and (x.outcome not in ('waiting', 'parked')) is true
            -- credits.finish_forgetting takes more out of these.
            and not exists (select from credits.forgotten_accounts as f where f.account_id = x.account_id)
        order by x.received_at
        limit p_most
        for no key update skip locked
    ));
    get diagnostics v_slimmed = row_count;
    return v_slimmed;
end
$$;
comment on function credits.slim_events(bigint) is
'Reduces at most p_most Stripe events that are older than their period to what the audit reads. Returns how many. '
'Events that wait or are parked stay whole.';
