-- A spend or a hold takes the balance below the threshold: an automatic top-up begins. The tokens come with the event
-- that says that the card was charged.
--
--   1. Does this spend cross the threshold, or is a top-up due that had to wait?
--   2. Does anything speak against it now? Then it waits, or automatic top-up pauses.
--   3. Write the order, the attempt and the call to Stripe. `pgcredits work` makes the call.
--
-- The caller has locked the wallet, and writes the permit afterwards. Nothing here refuses the spend.

create or replace function credits.topup_offer(p_topup credits.auto_topups)
returns credits.orders
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_order credits.orders;
begin
    if p_topup.pack_id is not null then
        v_order := credits.pack_order(p_topup.pack_id, null);
    else
        v_order := credits.topup_order(p_topup.amount, null);
    end if;
    -- The user agreed to this amount, for at least so many tokens.
    if (
        v_order.amount = p_topup.amount and v_order.currency = p_topup.currency
        and v_order.tokens + v_order.bonus_tokens >= p_topup.tokens
    ) is true then
        return v_order;
    end if;
    return null;
exception
    when sqlstate 'PT404' or sqlstate 'PT422' then
        return null;
end
$$;
comment on function credits.topup_offer(credits.auto_topups) is
'The order of an automatic top-up as it is sold now. A row of nulls when it is no longer sold as the user agreed.';

create or replace function credits.topped_up_since(p_account_id uuid, p_currency text, p_since timestamptz)
returns numeric
language sql
stable
begin atomic
    select coalesce(sum(a.amount), 0)
    from credits.topup_attempts as a
    where
        a.account_id = p_account_id and a.currency = p_currency
        and (a.state = 'open' or (a.state = 'succeeded' and (a.fired_at >= p_since or a.ended_at >= p_since)));
end;
comment on function credits.topped_up_since(uuid, text, timestamptz) is
'What automatic top-ups have charged since then, in minor units, and what may yet be charged by one that is in flight, '
'whenever it began.';

create or replace function credits.is_disputed(p_account_id uuid)
returns boolean
language sql
stable
begin atomic
    select count(*) > 0
    from credits.orders as o
    where o.account_id = p_account_id and o.disputed;
end;
comment on function credits.is_disputed(uuid) is
'Whether a payment of the account is disputed, or frozen because its card was reported stolen. As long as it is, no '
'card of the account is charged without asking.';

create or replace function credits.wait_with_topup(p_account_id uuid, p_until timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.auto_topups as t
    set wanted = true, next_try_at = greatest(t.next_try_at, coalesce(p_until, '-infinity'))
    where t.account_id = p_account_id;
    perform credits.set_topup_due(p_account_id);
end
$$;
comment on function credits.wait_with_topup(uuid, timestamptz) is
'Notes that a top-up is wanted. The first spend after p_until begins it, if the balance is below the threshold then.';

create or replace function credits.fire_topup(
    p_account_id uuid,
    p_before numeric,
    p_after numeric,
    p_at timestamptz,
    p_entry_seq bigint default null,
    p_hold_id uuid default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_topup credits.auto_topups;
    v_wallet record;
    v_month constant timestamptz := credits.period_start('month', p_at);
    v_order credits.orders;
begin
    -- 1. Cross?
    select t.* into v_topup from credits.auto_topups as t where t.account_id = p_account_id and t.state = 'on';
    if not found then
        return;
    end if;
    select w.held, w.status into strict v_wallet from credits.wallets as w where w.account_id = p_account_id;
    if (
        p_after < p_before and p_after - v_wallet.held < v_topup.threshold
        and (p_before - v_wallet.held >= v_topup.threshold or (v_topup.wanted and v_topup.next_try_at <= p_at))
    ) is not true or exists (
        select from credits.topup_attempts as a where a.account_id = p_account_id and a.state = 'open'
    ) then
        return;
    end if;

    -- 2. Does anything speak against it?
    if v_wallet.status <> 'active' or v_topup.next_try_at > p_at
        or credits.is_disputed(p_account_id) is true then
        perform credits.wait_with_topup(p_account_id, null);
        return;
    end if;
    v_order := credits.topup_offer(v_topup);
    if v_order.tokens is null then
        perform credits.pause_topup(p_account_id, 'offer_changed');
        return;
    elsif (
        credits.topped_up_since(p_account_id, v_topup.currency, v_month) + v_topup.amount <= v_topup.monthly_limit
    ) is not true then
        perform credits.wait_with_topup(p_account_id, credits.next_period('month', p_at));
        perform credits.tell_topup(p_account_id, 'top_up_paused', 'monthly_limit');
        return;
    end if;

    -- 3. Write.
    perform credits.begin_attempt(
        v_topup, v_order, p_before - v_wallet.held, p_after - v_wallet.held, p_at, p_entry_seq, p_hold_id
    );
end
$$;
comment on function credits.fire_topup(uuid, numeric, numeric, timestamptz, bigint, uuid) is
'Begins an automatic top-up when the locked wallet''s balance, held tokens included, has fallen from p_before to '
'p_after. The cause is the entry p_entry_seq or the hold p_hold_id.';
