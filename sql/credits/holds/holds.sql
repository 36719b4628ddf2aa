-- Holds: tokens reserved in the very lots that will pay. lots.held and wallets.held count them under the wallet's lock.
-- The public functions are in sql/api: hold_tokens, capture_hold, release_hold, extend_hold.

-- What holds keep, by lot. A hold that is past its time stays in here until a call books its end. So a query that only
-- reads must look at expires_at.
create or replace view credits.held_draws
with (security_invoker = true)
as
select
    h.account_id,
    h.hold_id,
    h.expires_at,
    d.lot_id,
    d.tokens
from credits.holds as h
cross join lateral jsonb_to_recordset(h.draws) as d (lot_id bigint, tokens numeric)
where h.state = 'open';
comment on view credits.held_draws is 'The tokens in each lot that each open hold keeps.';

-- A hold that is captured in parts is one use, so figures count its first part.
create or replace view credits.captures
with (security_invoker = true)
as
select
    h.account_id,
    h.hold_id,
    s.seq,
    s.part
from credits.holds as h
cross join lateral unnest(h.seqs) with ordinality as s (seq, part);
comment on view credits.captures is 'The entries that charged each hold, numbered from 1.';

create or replace function credits.held_at(p_account_id uuid, p_at timestamptz)
returns numeric
language sql
stable
return (
    select w.held
    from credits.wallets as w
    where w.account_id = p_account_id
) - coalesce((
    select sum(h.held)
    from credits.holds as h
    where h.account_id = p_account_id and h.state = 'open' and h.expires_at <= p_at
), 0);
comment on function credits.held_at(uuid, timestamptz) is
'The tokens that the holds of an account keep at a moment, without holds that have expired by then.';

create or replace function credits.check_ttl(p_ttl interval)
returns numeric
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- In seconds, because a day is not 24 hours everywhere. And a year has 360 days in a comparison, but 365 on a
    -- clock.
    v_seconds constant numeric := extract(epoch from p_ttl);
begin
    if v_seconds is null or v_seconds <= 0 or v_seconds > 86400 then
        perform credits.fail(422, 'bad_ttl', 'ttl must be above 0 and at most 24 hours');
    end if;
    return v_seconds;
end
$$;
comment on function credits.check_ttl(interval) is
'The seconds of an interval, if a hold may last that long. Raises PT422 bad_ttl.';

-- A hold freezes the price, keeps lots past their date, and is not stopped by limits. So it must end.
create or replace function credits.last_moment(p_hold credits.holds)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_day constant interval := interval '24 hours';
    v_longest constant interval := case
        when p_hold.by_service is true then coalesce((select s.longest_service_hold from credits.settings as s), v_day)
        else v_day
    end;
    v_lots constant timestamptz := (
        select min(l.expires_at)
        from jsonb_to_recordset(p_hold.draws) as d (lot_id bigint)
        join credits.lots as l on l.account_id = p_hold.account_id and d.lot_id = l.lot_id
    ) + v_day;
begin
    -- When the bound has been lowered since, a hold keeps the time that it has already.
    return greatest(least(credits.later(p_hold.created_at, v_longest), coalesce(v_lots, 'infinity')), p_hold.expires_at);
end
$$;
comment on function credits.last_moment(credits.holds) is
'The latest moment to which an open hold can be extended: 24 hours after a user made it, or as long as the operator '
'allows a service, and never more than 24 hours past the date of a lot that it draws on. A new hold needs no check, '
'because it lasts at most 24 hours.';

create or replace function credits.refuse_own_hold(p_state text, p_status text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_status <> 'active' then
        perform credits.refuse_status(p_status);
    end if;
    -- A later capture would use a price that is more than a day old.
    perform credits.refuse_closed(p_state);
end
$$;
comment on function credits.refuse_own_hold(text, text) is
'Refuses to let a user capture or extend their own hold while the account is not active (PT423 account_frozen), or '
'more than 24 hours after they made it (PT409 hold_closed).';

-- Users' holds cost them nothing, so a hundred of them must not stop a service from charging. A service's holds need
-- tokens that are there, so they count against users too.
create or replace function credits.keep_holds_few(p_account_id uuid, p_by_service boolean)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_most constant bigint := coalesce((select s.most_open_holds from credits.settings as s), 100);
begin
    if (
        select count(*)
        from (
            select
            from credits.holds as h
            where h.account_id = p_account_id and h.state = 'open' and (h.by_service or p_by_service is not true)
            limit v_most
        ) as x
    ) >= v_most then
        perform credits.fail(
            429, 'too_many_holds', 'this account has as many open holds as it may have',
            json_build_object('limit', v_most)
        );
    end if;
end
$$;
comment on function credits.keep_holds_few(uuid, boolean) is
'Refuses one more hold on a locked wallet that has as many open holds as the settings allow. Nothing is due on the '
'wallet. For a service (p_by_service) only holds that services made count. Raises PT429 too_many_holds (limit).';

create or replace function credits.find_hold(
    p_hold_id text, p_user_id text, out account_id uuid, out hold_id uuid, out user_id text, out service boolean
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- A service need not name the user, because the hold names the account.
    service := credits.is_spender();
    if p_user_id is not null or not service then
        user_id := credits.caller_subject(p_user_id, 'spender');
    end if;
    -- Two uuids in any spelling. Trying the cast is faster than checking each character first.
    begin
        if (substr(p_hold_id, 37, 1) = ':') is true then
            hold_id := substr(p_hold_id, 38)::uuid;
            account_id := left(p_hold_id, 36)::uuid;
        end if;
    exception
        when invalid_text_representation then
            account_id := null;
    end;
    if account_id is not null then
        if user_id is null then
            -- The account may have no user any more, because a person can be forgotten.
            select i.subject into user_id
            from credits.identities as i
            where i.account_id = find_hold.account_id
            order by i.created_at, i.subject
            limit 1;
        elsif not exists (
            select from credits.identities as i
            where i.subject = find_hold.user_id and i.account_id = find_hold.account_id
        ) then
            account_id := null;
        end if;
    end if;
    if account_id is null then
        perform credits.refuse_hold();
    end if;
end
$$;
comment on function credits.find_hold(text, text) is
'Where to look for a hold, whose hold it would be, and whether a service asks. Users find only their own holds; '
'services find all. Raises PT404 unknown_hold, PT403 not_yours, PT401 not_signed_in.';

create or replace function credits.refuse_hold(p_by_service boolean default null)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_by_service is true then
        -- Otherwise users could call off the hold that is about to charge them, and get the work for nothing.
        perform credits.fail(403, 'not_yours', 'a service made this hold, so only a service may end it');
    end if;
    -- The answer is the same for somebody else's hold and for one that never existed.
    perform credits.fail(404, 'unknown_hold', 'no such hold');
end
$$;
comment on function credits.refuse_hold(boolean) is
'Raises PT403 not_yours for a hold that a service made, else PT404 unknown_hold.';

create or replace function credits.lock_hold(p_account_id uuid, p_hold_id uuid, p_service boolean)
returns credits.holds
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_due_at timestamptz;
    v_test_clock timestamptz;
    v_hold credits.holds;
begin
    -- Lock as a spend does: the end of a hold need not take back a permit.
    loop
        select w.due_at, w.test_clock into v_due_at, v_test_clock
        from credits.wallets as w
        where w.account_id = p_account_id
        for no key update skip locked;
        exit when (
            v_due_at > coalesce(v_test_clock, credits.clock())
            and current_setting('synchronous_commit') not in ('off', 'local')
        ) is true;
        if not exists (select from credits.wallets as w where w.account_id = p_account_id) then
            perform credits.refuse_hold();
        end if;
        perform credits.lock_wallet(p_account_id);
    end loop;
    select h.* into v_hold from credits.holds as h where h.account_id = p_account_id and h.hold_id = p_hold_id;
    if v_hold.by_service is null or (v_hold.by_service and p_service is not true) then
        perform credits.refuse_hold(v_hold.by_service);
    end if;
    return v_hold;
end
$$;
comment on function credits.lock_hold(uuid, uuid, boolean) is
'Locks the wallet, brings it up to date, and returns the hold as it is then. p_service: a service asks. Raises PT404 '
'unknown_hold, PT403 not_yours, PT503 busy.';

create or replace function credits.refuse_closed(p_state text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(409, 'hold_closed', 'this hold is ' || p_state, json_build_object('state', p_state));
end
$$;
comment on function credits.refuse_closed(text) is 'Raises PT409 hold_closed.';

-- It is as stable as what it calls, so the planner can inline it.
create or replace function credits.is_in_head(p_draws jsonb, p_head_lot bigint)
returns boolean
language sql
stable
return coalesce(jsonb_array_length(p_draws) = 1 and (p_draws -> 0 -> 'lot_id')::bigint = p_head_lot, false);
comment on function credits.is_in_head(jsonb, bigint) is
'Are all the tokens of a hold in the head lot of its wallet? If so, the sums on the wallet record what happens to '
'them.';

create or replace function credits.unhold_lots(
    p_account_id uuid, p_draws jsonb, p_taken numeric, p_released numeric, out draws jsonb, out rest jsonb
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_missing numeric := p_taken;
    v_tokens numeric;
    v_part numeric;
begin
    draws := '[]';
    rest := '[]';
    if p_draws <> '[]' then
        perform credits.fold_head(p_account_id);
    end if;
    for i in 0..jsonb_array_length(p_draws) - 1 loop
        v_tokens := coalesce((p_draws -> i -> 'tokens')::numeric, 0);
        v_part := least(v_tokens, v_missing);
        v_missing := v_missing - v_part;
        draws := draws || credits.draw_of((p_draws -> i -> 'lot_id')::bigint, v_part);
        rest := rest || credits.draw_of((p_draws -> i -> 'lot_id')::bigint, v_tokens - v_part);
        update credits.lots as l
        set
            remaining = l.remaining - v_part, live = l.remaining > v_part,
            held = l.held - v_part - case when p_released > 0 then v_tokens - v_part else 0 end
        where l.account_id = p_account_id and l.lot_id = (p_draws -> i -> 'lot_id')::bigint;
    end loop;
end
$$;
comment on function credits.unhold_lots(uuid, jsonb, numeric, numeric) is
'Takes the first p_taken tokens of a hold''s draws out of its lots, on a locked wallet. draws: what was taken, and '
'from which lots. rest: what is left. If p_released is above 0, the rest is no longer held.';

create or replace function credits.usage_sum(p_usage jsonb, p_other jsonb, p_times integer)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_object_agg(
            u.dimension,
            coalesce((p_usage ->> u.dimension)::numeric, 0) + p_times * coalesce((p_other ->> u.dimension)::numeric, 0)
        )
        from jsonb_object_keys(p_usage || p_other) as u (dimension)
    );
end
$$;
comment on function credits.usage_sum(jsonb, jsonb, integer) is
'Adds p_other to a usage p_times, per dimension. -1 subtracts it, and the result may be below 0. A dimension that one '
'of the two does not name is 0 there.';

create or replace function credits.usage_of_rest(p_usage_left jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_object_agg(u.dimension, greatest(coalesce(u.quantity::numeric, 0), 0))
        from jsonb_each_text(p_usage_left) as u (dimension, quantity)
    );
end
$$;
comment on function credits.usage_of_rest(jsonb) is
'The usage to record when all that a hold keeps is charged: what is left of its usage, but not below 0.';

create or replace function credits.finish_unholding(
    p_account_id uuid,
    p_before numeric,
    p_after numeric,
    p_freed jsonb,
    p_at timestamptz,
    p_entry_seq bigint default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_before is distinct from p_after then
        perform credits.write_notices(p_account_id, p_before, p_after);
        perform credits.fire_topup(p_account_id, p_before, p_after, p_at, p_entry_seq);
    end if;
    -- The money of a lot may have gone back while it was held.
    perform credits.settle_debts(p_account_id);
    -- A lot may have passed its date, or come close to it, while it was held.
    if exists (
        select
        from jsonb_to_recordset(p_freed) as f (lot_id bigint)
        join credits.lots as l on l.account_id = p_account_id and f.lot_id = l.lot_id
        where l.expires_at is not null
    ) then
        perform credits.catch_up(p_account_id);
    end if;
    perform credits.choose_head(p_account_id, p_at);
end
$$;
comment on function credits.finish_unholding(uuid, numeric, numeric, jsonb, timestamptz, bigint) is
'Does what follows when held tokens outside the head lot have been charged or freed. The locked wallet has been '
'written. Writes notices of the change from p_before to p_after, begins an automatic top-up because of the entry '
'p_entry_seq, expires what is free again in the lots of p_freed, and gives a permit for the next spend.';

create or replace function credits.let_go(p_hold credits.holds, p_reason text)
returns credits.holds
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_wallet credits.wallets;
    v_now timestamptz;
    v_ended credits.holds;
    v_in_head boolean;
begin
    select w.* into strict v_wallet from credits.wallets as w where w.account_id = p_hold.account_id;
    v_now := coalesce(v_wallet.test_clock, credits.clock());
    -- A hold with captured parts ends as captured. The hold is ended first, because time goes on: expire_holds must not
    -- find it open and past its time, and free its tokens a second time.
    update credits.holds as h
    set
        state = case when cardinality(h.seqs) > 0 then 'captured' else 'released' end,
        held = 0, draws = '[]', reason = p_reason, actor = credits.actor(), finished_at = v_now,
        failed = coalesce(p_reason ~* '^(failed|error|timeout)', false)
    where h.account_id = p_hold.account_id and h.hold_id = p_hold.hold_id
    returning h.* into strict v_ended;
    v_in_head := v_wallet.head_quiet and credits.is_in_head(p_hold.draws, v_wallet.head_lot);
    if not v_in_head then
        perform credits.unhold_lots(p_hold.account_id, p_hold.draws, 0, p_hold.held);
    end if;
    update credits.wallets as w
    set held = w.held - p_hold.held, head_reserved = w.head_reserved - case when v_in_head then p_hold.held else 0 end
    where w.account_id = p_hold.account_id;
    if p_hold.captured = 0 and not p_hold.by_service then
        perform credits.count_unpaid(p_hold.account_id, v_now, p_holds => 1);
    end if;
    if not v_in_head and p_hold.held > 0 then
        perform credits.finish_unholding(
            p_hold.account_id, v_wallet.balance - p_hold.held, v_wallet.balance, p_hold.draws, v_now
        );
    end if;
    return v_ended;
end
$$;
comment on function credits.let_go(credits.holds, text) is
'Ends an open hold of a locked wallet without charging what it still holds, and returns it as it is then.';

create or replace function credits.expire_holds(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock(p_account_id);
    v_back numeric;
    v_unpaid bigint;
    v_balance numeric;
begin
    select sum(h.held), count(*) filter (where not h.by_service and h.captured = 0) into v_back, v_unpaid
    from credits.holds as h
    where h.account_id = p_account_id and h.state = 'open' and h.expires_at <= v_now;
    if v_back is null then
        return;
    end if;

    update credits.lots as l
    set held = l.held - d.tokens
    from (
        select x.lot_id, sum(x.tokens) as tokens
        from credits.held_draws as x
        where x.account_id = p_account_id and x.expires_at <= v_now
        group by x.lot_id
    ) as d
    where l.account_id = p_account_id and l.lot_id = d.lot_id;
    update credits.holds as h
    set state = 'expired', held = 0, draws = '[]', finished_at = h.expires_at
    where h.account_id = p_account_id and h.state = 'open' and h.expires_at <= v_now;
    update credits.wallets as w
    set held = w.held - v_back
    where w.account_id = p_account_id
    returning w.balance into v_balance;
    if v_unpaid > 0 then
        perform credits.count_unpaid(p_account_id, v_now, p_holds => v_unpaid);
    end if;
    perform credits.write_notices(p_account_id, v_balance - v_back, v_balance);
end
$$;
comment on function credits.expire_holds(uuid) is
'Frees the tokens of the holds of a locked wallet that are past their time. The caller, credits.catch_up, has folded '
'the head.';
