-- Settings that the operator decides for the whole bank.
create or replace function credits.allow_test_clocks(p_allowed boolean)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_allowed is null then
        perform credits.fail(422, 'bad_clock', 'whether test clocks are allowed must be true or false');
    elsif p_allowed and exists (select from credits.stripe_events as e where e.livemode) then
        perform credits.fail(403, 'no_test_clocks', 'this bank has events of real money: it cannot have test clocks');
    end if;
    insert into credits.settings as s (test_clocks) values (p_allowed)
    on conflict (one_row) do update set test_clocks = excluded.test_clocks
    where s.test_clocks is distinct from excluded.test_clocks;
end
$$;
comment on function credits.allow_test_clocks(boolean) is
'For the operator. Whether services may put accounts on test clocks (api.set_test_clock). `pgcredits up` allows it '
'with the Stripe simulator and forbids it with a real Stripe key. Raises PT422 bad_clock for null, PT403 '
'no_test_clocks in a bank that has events of real money.';

create or replace function credits.test_clocks_allowed()
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Without its row the bank has no test clocks: a setting that nobody decided is off.
    return coalesce((select s.test_clocks from credits.settings as s), false);
end
$$;
comment on function credits.test_clocks_allowed() is 'Whether services may put accounts on test clocks.';

create or replace function credits.bound_holds(p_longest interval default null, p_most_open bigint default null)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_seconds constant numeric := extract(epoch from p_longest);
begin
    -- A hold lasts up to 24 hours without being extended.
    if (v_seconds not between 86400 and 31 * 86400) is true then
        perform credits.fail(422, 'bad_ttl', 'the longest hold of a service must be from 24 hours to 31 days');
    elsif (p_most_open not between 1 and 100000) is true then
        perform credits.fail(422, 'bad_limit', 'the number of open holds of an account must be from 1 to 100000');
    end if;
    update credits.settings as s
    set
        longest_service_hold = coalesce(make_interval(secs => v_seconds), s.longest_service_hold),
        most_open_holds = coalesce(p_most_open, s.most_open_holds);
end
$$;
comment on function credits.bound_holds(interval, bigint) is
'For the operator. p_longest: how long after its beginning a hold of a service can last at most, however often it is '
'extended: 24 hours to 31 days, by default 7 days. p_most_open: how many holds an account may have open, counted for '
'its user over all holds, and for services over the holds of services: 1 to 100000, by default 100. A setting that is '
'left out stays as it is. Raises PT422 bad_ttl or bad_limit.';

create or replace function credits.bound_unpaid(p_most bigint default null, p_window interval default null)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_seconds constant numeric := extract(epoch from p_window);
begin
    if (p_most not between 1 and 1000000) is true then
        perform credits.fail(422, 'bad_limit', 'the number of things without paying must be from 1 to 1000000');
    elsif (v_seconds not between 60 and 86400) is true then
        perform credits.fail(422, 'bad_limit', 'the window must be from a minute to 24 hours');
    end if;
    update credits.settings as s
    set
        most_unpaid = coalesce(p_most, s.most_unpaid),
        unpaid_window = coalesce(make_interval(secs => v_seconds), s.unpaid_window);
end
$$;
comment on function credits.bound_unpaid(bigint, interval) is
'For the operator. p_most: how many of each kind a user may make in one window without paying: holds that end with '
'nothing charged, uses of free modules, orders that end without money: 1 to 1000000, by default 1000. p_window: the '
'length of the window, which begins with the first of them: a minute to 24 hours, by default an hour. A setting that '
'is left out stays as it is. Raises PT422 bad_limit.';

create or replace function credits.bound_orders(p_most_pending bigint)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_most_pending between 1 and 100000) is not true then
        perform credits.fail(422, 'bad_limit', 'the number of pending orders of an account must be from 1 to 100000');
    end if;
    update credits.settings as s set most_pending_orders = p_most_pending;
end
$$;
comment on function credits.bound_orders(bigint) is
'For the operator. How many orders of one account may be pending: 1 to 100000, by default 20. Raises PT422 bad_limit.';
