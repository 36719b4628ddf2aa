-- What Stripe said about the user, and what Stripe itself still has.
create or replace function credits.customers_among(p_account_id uuid, p_names text[])
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select distinct n.name
        from unnest(p_names) as n (name)
        where
            starts_with(n.name, 'cus_')
            and not exists (
                select
                from credits.accounts as a
                where a.stripe_customer_id = n.name and (a.account_id <> p_account_id) is true
            )
        order by n.name
    );
end
$$;
comment on function credits.customers_among(uuid, text[]) is
'The customers at Stripe among the names of an event of this account, without those of other accounts.';

create or replace function credits.delete_customers(p_account_id uuid, p_customers text[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.put_call(
        p_account_id, 'delete_customer', gen_random_uuid(), jsonb_build_object('customer', c.customer_id)
    )
    from unnest(p_customers) as c (customer_id);
end
$$;
comment on function credits.delete_customers(uuid, text[]) is
'Has `pgcredits work` delete customers at Stripe. A customer that is gone already counts as deleted.';

create or replace function credits.without_customers(p_names text[], p_known text[] default '{}')
returns text[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select n.name
        from unnest(p_names) with ordinality as n (name, place)
        where starts_with(n.name, 'cus_') is not true and (n.name = any (p_known)) is not true
        order by n.place
    );
end
$$;
comment on function credits.without_customers(text[], text[]) is
'What an event names, without customers. p_known: names that are customers, whatever they look like.';

create or replace function credits.forget_at_stripe(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock();
    v_customers constant text[] := array(
        select a.stripe_customer_id
        from credits.accounts as a
        where a.account_id = p_account_id and a.stripe_customer_id is not null
        union
        select t.customer_id
        from credits.topup_consents as t
        where t.account_id = p_account_id and t.customer_id is not null
        union
        -- A payment may have made a customer whom only its events name.
        select c.customer_id
        from credits.stripe_events as e
        cross join unnest(credits.customers_among(p_account_id, e.names)) as c (customer_id)
        where e.account_id = p_account_id
    );
    v_objects constant text[] := v_customers || array(
        select s.object_id from credits.stripe_objects as s where s.account_id = p_account_id
    );
begin
    update credits.stripe_calls as c
    set params = credits.without_person(c.params), result = credits.without_person(c.result), trouble = null
    where c.account_id = p_account_id and c.state <> 'due';
    perform credits.delete_customers(p_account_id, v_customers);

    -- Events that name no account are found by what they name. No index helps, and nobody is forgotten often.
    update credits.stripe_events as e
    set
        payload = credits.without_person(e.payload), original = null, trouble = null,
        names = credits.without_customers(e.names, v_customers),
        object_id = (credits.without_customers(array[e.object_id], v_customers))[1],
        slimmed_at = v_now
    where
        e.account_id = p_account_id or e.object_id = any (v_objects) or e.names && v_objects
        or e.payload #>> '{data,object,customer}' = any (v_customers);
    update credits.event_decisions as d
    set reason = 'forgotten'
    from credits.stripe_events as e
    where e.account_id = p_account_id and d.event_id = e.event_id;
    update credits.stripe_mirror as m
    set payload = credits.without_person(m.payload)
    where
        m.named_account = p_account_id or m.object_id = any (v_objects) or m.payment_intent_id = any (v_objects)
        or m.payload ->> 'customer' = any (v_customers);
    update credits.subscription_invoices as i set pay_url = null where i.account_id = p_account_id;
    update credits.topup_consents as t
    set words = f.words, customer_id = f.customer_id, payment_method_id = f.payment_method_id
    from (
        select n.*
        from credits.topup_consents as x
        cross join lateral credits.forgotten_consent(x) as n
        where x.account_id = p_account_id
    ) as f
    where t.account_id = f.account_id and t.consent_id = f.consent_id;
    update credits.auto_topups as t
    set customer_id = null, payment_method_id = null, link = null, link_until = null
    where t.account_id = p_account_id;
end
$$;
comment on function credits.forget_at_stripe(uuid) is
'Reduces what Stripe said about the user of an account to ids, amounts and times, and has `pgcredits work` delete the '
'customer at Stripe.';
