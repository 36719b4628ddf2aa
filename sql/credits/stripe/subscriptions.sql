-- Events about subscriptions: the row of a subscription is what the newest of them says.
--
-- Events of the same second are common, and their ids have no order. So "newest" is decided by, in this order: an end
-- is final; the time at which Stripe made the event; created before the others, deleted after them; the later period;
-- the further status. Where even that is equal, nothing can tell, and the event that came last counts.

create or replace function credits.account_of_subscription(
    p_subscription_id text, p_metadata jsonb, p_customer_id text
)
returns uuid
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_named constant text := p_metadata ->> 'account_id';
    v_accounts uuid[];
begin
    -- 1. The subscription is known. 2. The HTTP API named the account when it opened the checkout. 3. The customer is
    -- one account's.
    v_accounts := array(
        select s.account_id from credits.subscriptions as s where s.subscription_id = p_subscription_id limit 2
    );
    if cardinality(v_accounts) = 0 and (v_named ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$') is true then
        v_accounts := array(select a.account_id from credits.accounts as a where a.account_id = v_named::uuid);
    end if;
    if cardinality(v_accounts) = 0 then
        v_accounts := array(
            select a.account_id from credits.accounts as a where a.stripe_customer_id = p_customer_id limit 2
        );
    end if;
    return case when cardinality(v_accounts) = 1 then v_accounts[1] end;
end
$$;
comment on function credits.account_of_subscription(text, jsonb, text) is
'The account that a subscription belongs to. Null when it cannot be told.';

create or replace function credits.subscription_problem(
    p_event credits.stripe_events, p_subscription_id text, p_customer_id text
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return left(case
        when p_event.object_id is null or p_subscription_id is null then 'an object without an id that can be kept'
        when exists (
            select
            from credits.accounts as a
            where a.stripe_customer_id = p_customer_id and a.account_id is distinct from p_event.account_id
        ) and not exists (
            select
            from credits.accounts as a
            where a.stripe_customer_id = p_customer_id and a.account_id = p_event.account_id
        ) then format('%s is the customer of another account', p_customer_id)
        when p_event.payload #> '{data,object,livemode}' is distinct from to_jsonb(p_event.livemode)
            and coalesce(p_event.payload #> '{data,object,livemode}', 'null') <> 'null'
            then format('livemode %s in an event of livemode %s', p_event.payload #> '{data,object,livemode}', p_event.livemode)
    end, 200);
end
$$;
comment on function credits.subscription_problem(credits.stripe_events, text, text) is
'Why an event of a subscription cannot be true of its account, so that a person must look at it. Null when it can.';

create or replace function credits.find_subscription(
    p_event credits.stripe_events, out account_id uuid, out order_id uuid
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subscription constant jsonb := p_event.payload #> '{data,object}';
begin
    account_id := credits.account_of_subscription(
        p_event.object_id, credits.subscription_metadata(v_subscription),
        credits.stripe_id(v_subscription -> 'customer')
    );
    order_id := null;
end
$$;
comment on function credits.find_subscription(credits.stripe_events) is
'The account of a subscription. Null when it is of nobody known.';

-- What an event says of a subscription.
create or replace function credits.read_subscription(p_event credits.stripe_events)
returns credits.subscriptions
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_object constant jsonb := p_event.payload #> '{data,object}';
    v_item jsonb;
    v_terms credits.plan_versions;
    v_row credits.subscriptions;
begin
    -- The item of a plan, if there is one. Other items are sold beside it.
    select i.item into v_item
    from jsonb_path_query(v_object, 'lax $.items.data[*]') with ordinality as i (item, place)
    cross join lateral credits.plan_of_price(credits.stripe_id(i.item -> 'price')) as t
    order by t.plan_id is null, i.place
    limit 1;
    v_terms := credits.plan_of_price(coalesce(
        credits.stripe_id(v_item -> 'price'), credits.stripe_id(v_item -> 'plan'), credits.stripe_id(v_object -> 'plan')
    ));
    if v_terms.plan_id is null then
        v_terms := credits.plan_of_metadata(credits.subscription_metadata(v_object));
    end if;
    v_row.account_id := p_event.account_id;
    v_row.subscription_id := p_event.object_id;
    v_row.plan_id := v_terms.plan_id;
    v_row.version := v_terms.version;
    v_row.quantity := greatest(coalesce(
        credits.stripe_amount(v_item -> 'quantity'), credits.stripe_amount(v_object -> 'quantity'), 1
    ), 1);
    v_row.status := case
        when (p_event.type = 'customer.subscription.deleted') is true then 'canceled' else v_object ->> 'status'
    end;
    v_row.cancel_at_period_end := v_object -> 'cancel_at_period_end' is not distinct from 'true';
    v_row.cancel_at := credits.stripe_time(v_object -> 'cancel_at');
    v_row.pause := case
        when (v_object #>> '{pause_collection,behavior}' in ('keep_as_draft', 'mark_uncollectible', 'void')) is true
            then v_object #>> '{pause_collection,behavior}'
    end;
    v_row.resumes_at := credits.stripe_time(v_object #> '{pause_collection,resumes_at}');
    v_row.trial_ends_at := credits.stripe_time(v_object -> 'trial_end');
    v_row.period_starts_at := coalesce(
        credits.stripe_time(v_item -> 'current_period_start'), credits.stripe_time(v_object -> 'current_period_start')
    );
    v_row.period_ends_at := coalesce(
        credits.stripe_time(v_item -> 'current_period_end'), credits.stripe_time(v_object -> 'current_period_end')
    );
    v_row.ended_at := credits.stripe_time(v_object -> 'ended_at');
    v_row.said_at := credits.event_time(p_event);
    v_row.said_by := p_event.event_id;
    v_row.created_at := credits.clock(p_event.account_id);
    return v_row;
end
$$;
comment on function credits.read_subscription(credits.stripe_events) is
'The row of a subscription as one event describes it.';

create or replace function credits.subscription_rank(p_event credits.stripe_events)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_object constant jsonb := p_event.payload #> '{data,object}';
    v_type constant text not null := p_event.type;
    v_deleted constant boolean not null := v_type = 'customer.subscription.deleted';
begin
    return concat_ws(
        ' ',
        case
            when v_deleted or (v_object ->> 'status' in ('canceled', 'incomplete_expired')) is true then 1 else 0
        end,
        lpad(coalesce(credits.stripe_amount(p_event.payload -> 'created'), 0)::text, 12, '0'),
        case
            when v_type = 'customer.subscription.created' then 0 when v_deleted then 2 else 1
        end,
        lpad(coalesce(
            credits.stripe_amount(v_object #> '{items,data,0,current_period_start}'),
            credits.stripe_amount(v_object -> 'current_period_start'), 0
        )::text, 12, '0'),
        coalesce(array_position(
            array['incomplete', 'trialing', 'active', 'past_due', 'unpaid', 'paused'], v_object ->> 'status'
        ), 0)
    );
end
$$;
comment on function credits.subscription_rank(credits.stripe_events) is
'Of two events of one subscription, the one whose rank comes later (byte by byte) describes it. Events of equal rank '
'cannot be told apart.';

create or replace function credits.apply_subscription(
    p_event credits.stripe_events, out outcome text, out reason text, out entry_id text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_object constant jsonb := p_event.payload #> '{data,object}';
    v_said constant credits.subscriptions := credits.read_subscription(p_event);
    v_before credits.subscriptions;
    v_told credits.stripe_events;
begin
    entry_id := null;
    -- 1. Whom is it about, and can it be?
    reason := coalesce(
        credits.subscription_problem(p_event, p_event.object_id, credits.stripe_id(v_object -> 'customer')),
        case
            when (v_said.status in (
                'incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'canceled', 'unpaid', 'paused'
            )) is not true then left(format('an unknown status %s', v_said.status), 200)
        end
    );
    if reason is not null then
        outcome := 'parked';
        return;
    end if;
    perform credits.note_customer(p_event.account_id, credits.stripe_id(v_object -> 'customer'), null);

    -- 2. Is it newer than what was said before?
    select s.* into v_before
    from credits.subscriptions as s
    where s.account_id = p_event.account_id and s.subscription_id = p_event.object_id;
    select e.* into v_told from credits.stripe_events as e where e.event_id = v_before.said_by;
    if v_told.event_id is not null and (
        v_told.event_id = p_event.event_id
        or credits.subscription_rank(p_event) < credits.subscription_rank(v_told) collate "C"
    ) is true then
        outcome := 'duplicate';
        return;
    end if;
    outcome := 'applied';

    -- 3. Then it is as the event says.
    insert into credits.subscriptions select v_said.*
    on conflict (account_id, subscription_id) do update
    set
        plan_id = excluded.plan_id, version = excluded.version, quantity = excluded.quantity,
        status = excluded.status, cancel_at_period_end = excluded.cancel_at_period_end,
        cancel_at = excluded.cancel_at, pause = excluded.pause, resumes_at = excluded.resumes_at,
        trial_ends_at = excluded.trial_ends_at, period_starts_at = excluded.period_starts_at,
        period_ends_at = excluded.period_ends_at, ended_at = excluded.ended_at, said_at = excluded.said_at,
        said_by = excluded.said_by;
    perform credits.tell_subscription(p_event, v_before, v_said);
    perform credits.begin_free_period(p_event.account_id);
    -- Its invoices can be told now, if they came first.
    perform credits.apply_waiting_for(p_event.names);
end
$$;
comment on function credits.apply_subscription(credits.stripe_events) is
'Makes the row of a subscription what an event says, unless a newer one has come. The caller holds the locks of '
'credits.lock_with_referrer.';

create or replace function credits.tell_subscription(
    p_event credits.stripe_events, p_before credits.subscriptions, p_now credits.subscriptions
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_event.type = 'customer.subscription.trial_will_end') is true then
        perform credits.put_notice(
            p_event.account_id, 'trial_ends_soon',
            jsonb_strip_nulls(jsonb_build_object(
                'subscription_id', p_now.subscription_id, 'plan_id', p_now.plan_id,
                'trial_ends_at', credits.utc_text(p_now.trial_ends_at)
            ))
        );
    end if;
    if (p_before.plan_id, p_before.quantity, p_before.status, p_before.cancel_at_period_end, p_before.pause)
        is distinct from (p_now.plan_id, p_now.quantity, p_now.status, p_now.cancel_at_period_end, p_now.pause) then
        perform credits.put_notice(
            p_event.account_id, 'subscription_changed',
            jsonb_strip_nulls(jsonb_build_object(
                'subscription_id', p_now.subscription_id, 'plan_id', p_now.plan_id, 'quantity', p_now.quantity,
                'status', p_now.status, 'cancel_at_period_end', p_now.cancel_at_period_end,
                'pause', p_now.pause, 'plan_before', p_before.plan_id, 'status_before', p_before.status
            ))
        );
    end if;
end
$$;
comment on function credits.tell_subscription(
    credits.stripe_events, credits.subscriptions, credits.subscriptions
) is 'Tells the user that a subscription has changed, or that its trial ends soon.';
