-- The parts of forgetting a user. api.forget_user has locked the identity and the wallet.

create or replace function credits.forget_notes(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from credits.webhook_deliveries as d where d.account_id = p_account_id;
    delete from credits.outbox as o where o.account_id = p_account_id;
    delete from credits.idempotency_keys as k where k.account_id = p_account_id;
    update credits.holds as h
    set metadata = '{}', tags = null, reason = null
    where h.account_id = p_account_id and (h.metadata <> '{}' or num_nonnulls(h.tags, h.reason) > 0);
    update credits.failures as f
    set metadata = '{}'
    where f.account_id = p_account_id and f.metadata <> '{}';
    update credits.refund_requests as r set reason = null, trouble = null where r.account_id = p_account_id;
    update credits.status_changes as c set reason = null where c.account_id = p_account_id;
    -- Anyone who has the code could say whose it was.
    update credits.referrals as r
    set code = 'FORGOTTEN'
    where r.referrer_id = p_account_id;
    update credits.redemptions as r
    set code = 'FORGOTTEN'
    where r.code in (select c.code from credits.codes as c where c.referrer_id = p_account_id);
    update credits.codes as c
    set code = credits.new_referral_code(p_account_id)
    where c.referrer_id = p_account_id;
end
$$;
comment on function credits.forget_notes(uuid) is
'Removes what callers, products and operators noted about an account, outside its entries, and its referral code.';

create or replace function credits.forget_account(p_account_id uuid, out gave_up numeric, out logins text[])
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    gave_up := credits.give_up_balance(p_account_id);
    perform credits.stop_topup(p_account_id, 'withdrawn');
    insert into credits.forgotten_accounts (account_id, forgotten_at, gave_up, actor)
    values (p_account_id, credits.clock(), forget_account.gave_up, credits.agent());
    logins := credits.forget_identity(p_account_id);
    perform credits.forget_at_stripe(p_account_id);
    perform credits.forget_notes(p_account_id);
    update credits.accounts as a
    set segment = null, stripe_customer_id = null, verified_at = null, welcome_waits = false,
        overdraft_limit = 0  -- what a late capture cannot be paid with is a shortfall, which somebody can write off
    where a.account_id = p_account_id;
    update credits.wallets as w set status = 'closed' where w.account_id = p_account_id;
    insert into credits.status_changes (account_id, status, reason, actor, changed_at)
    values (p_account_id, 'closed', 'forgotten', credits.agent(), credits.clock());
end
$$;
comment on function credits.forget_account(uuid) is
'Forgets the user of a locked account, except for what the entries say: credits.go_on_forgetting does that. gave_up: '
'the balance that expired. logins: SQL logins that an administrator must drop.';

create or replace function credits.go_on_forgetting(p_account_id uuid, p_most bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_forgotten bigint;
begin
    perform
    from credits.forgotten_accounts as f
    where f.account_id = p_account_id and f.finished_at is null
    for update skip locked;
    if not found then
        return 0;
    end if;
    v_forgotten := credits.forget_entries(p_account_id, p_most);
    if coalesce(v_forgotten < p_most, true) then
        update credits.forgotten_accounts as f
        set finished_at = greatest(credits.clock(), f.forgotten_at)
        where f.account_id = p_account_id;
    end if;
    return v_forgotten;
end
$$;
comment on function credits.go_on_forgetting(uuid, bigint) is
'Takes what they said out of at most p_most entries of an account that is being forgotten, and notes when none is '
'left. Returns how many. 0 if another session is at it.';

create or replace function credits.finish_forgetting(p_most bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_account_id uuid;
    v_entries bigint := 0;
    v_late text[];
    v_events bigint;
begin
    for v_account_id in
        select f.account_id from credits.forgotten_accounts as f where f.finished_at is null order by f.account_id
    loop
        exit when (v_entries >= p_most) is true;
        v_entries := v_entries + credits.go_on_forgetting(v_account_id, p_most - v_entries);
    end loop;
    -- Stripe may send an event about a payment of long ago.
    v_late := array(
        select x.event_id
        from credits.stripe_events as x
        inner join credits.forgotten_accounts as f on x.account_id = f.account_id
        where x.slimmed_at is null and (x.outcome not in ('waiting', 'parked')) is true
        limit p_most
        for no key update of x skip locked
    );
    perform credits.delete_customers(n.account_id, credits.customers_among(n.account_id, n.names))
    from (
        select e.account_id, array_agg(m.name) as names
        from credits.stripe_events as e
        cross join unnest(e.names) as m (name)
        where e.event_id = any (v_late)
        group by e.account_id
    ) as n;
    update credits.stripe_events as e
    set
        payload = credits.without_person(e.payload), original = null, trouble = null,
        names = credits.without_customers(e.names), object_id = (credits.without_customers(array[e.object_id]))[1],
        slimmed_at = credits.clock()
    where e.event_id = any (v_late);
    get diagnostics v_events = row_count;
    return v_entries + v_events;
end
$$;
comment on function credits.finish_forgetting(bigint) is
'Goes on with accounts whose entries still have metadata, and reduces Stripe''s later events about forgotten accounts. '
'At most p_most of each; returns how many.';
