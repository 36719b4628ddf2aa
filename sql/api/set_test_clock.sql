-- Put an account on a test clock, or move its test clock. The clock stands still until it is moved again. Everything
-- that becomes due is booked at once: holds, lots, notices, periods of limits.
--
--   1. Refuse the call if the operator does not allow test clocks, or if the arguments make no sense.
--   2. Lock the wallet. Locking also writes what was due before the clock moves.
--   3. Move the clock, and book what has become due.
create or replace function api.set_test_clock(
    user_id text,
    frozen_time timestamptz default null,
    advance interval default '0'
)
returns api.test_clock
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_advance constant interval := nullif(set_test_clock.advance, '0');
    v_account_id uuid;
    v_before timestamptz;
    v_clock timestamptz;
begin
    -- 1. Refuse.
    perform credits.require_service('may set a test clock');
    if not credits.test_clocks_allowed() then
        perform credits.fail(403, 'no_test_clocks', 'this bank has no test clocks');
    elsif num_nonnulls(set_test_clock.frozen_time, v_advance) = 2 then
        perform credits.fail(422, 'bad_clock', 'give frozen_time or advance, not both');
    elsif num_nonnulls(set_test_clock.frozen_time, set_test_clock.advance) = 0 then
        -- A time that got lost on its way must not stop the clock.
        perform credits.fail(
            422, 'bad_clock', 'give frozen_time, or advance to say how far the clock moves; null is neither'
        );
    elsif (
        extract(epoch from v_advance) not between 0 and extract(epoch from interval '101 years')
    ) is true then
        -- Before anything is added, because there is a last time.
        perform credits.fail(422, 'bad_clock', 'a test clock only moves forward, at most a hundred years ahead');
    end if;

    -- 2. Lock.
    v_account_id := credits.account_of(credits.caller_subject(set_test_clock.user_id), true);
    perform credits.lock_wallet(v_account_id);
    v_before := credits.clock(v_account_id);
    v_clock := coalesce(set_test_clock.frozen_time, credits.later(v_before, coalesce(v_advance, '0')));
    if (v_clock between v_before and credits.later(credits.clock(), interval '100 years')) is not true then
        perform credits.fail(
            422, 'bad_clock', 'a test clock only moves forward, at most a hundred years ahead',
            json_build_object('frozen_time', credits.utc_text(v_before))
        );
    end if;

    -- 3. Move the clock.
    update credits.wallets as w set test_clock = v_clock where w.account_id = v_account_id;
    perform credits.catch_up(v_account_id);
    return row(set_test_clock.user_id, v_clock);
end
$$;
comment on function api.set_test_clock(text, timestamptz, interval) is
'Put an account on a test clock, or move its test clock, and book at once what becomes due. For services, in banks that
allow it (credits.allow_test_clocks), never where money is real.

The clock stands still at frozen_time, or at advance after the time that it showed before (with neither, at that time),
until it is moved again. It moves only forward, and the account stays on it. Every rule about the account uses it:
prices, expiry of lots and holds, limits, campaigns. Times that no rule uses (of notices, keys, freezing, orders) are
those of the bank.
Opens the account of a new user.

Raises PT403 no_test_clocks or not_yours, PT422 bad_clock (with the time that the clock shows; also for nulls) or
bad_user.';
