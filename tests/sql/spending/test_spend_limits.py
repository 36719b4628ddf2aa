"""Limits per day and month, set by users or services, hold under the wallet's lock."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from callers import Caller, Connection, at_once, findings, refused, slugs, stop_clock
from holding import Bank, clock_hold

User = Callable[..., Caller]
Crowd = Callable[[int], list[Caller]]


@pytest.fixture
def ada(user: User, service: Caller) -> Caller:
    ada = user()
    service.call("add_tokens", user_id=ada.user_id, tokens=1000)
    return ada


def spend(caller: Caller, times: int = 1) -> None:
    for _ in range(times):
        caller.call("consume_tokens", module_id="metube")  # 10 tokens


def test_spend_may_reach_the_limit_but_not_pass_it(ada: Caller) -> None:
    limit = ada.call("set_spend_limit", period="day", tokens=30)
    assert (limit["set_by"], limit["tokens"], limit["spent"], limit["remaining"]) == ("user", 30, 0, 30)
    spend(ada, 3)
    with refused("spend_limit") as facts:
        spend(ada)
    assert (facts["period"], facts["limit"], facts["spent"], facts["cost"]) == ("day", 30, 30, 10)
    assert facts["reset_at"].endswith("00:00:00+00:00")
    assert ada.balance() == 970
    assert ada.row("select spent, remaining from api.spend_limits") == {"spent": 30, "remaining": 0}


def test_spending_before_the_limit_was_set_counts(ada: Caller) -> None:
    spend(ada, 4)
    limit = ada.call("set_spend_limit", period="month", tokens=50)
    assert (limit["spent"], limit["remaining"]) == (40, 10)
    spend(ada)
    with refused("spend_limit"):
        spend(ada)


def test_stricter_limit_counts_and_the_longest_lasting_is_named(ada: Caller) -> None:
    ada.call("set_spend_limit", period="day", tokens=20)
    ada.call("set_spend_limit", period="month", tokens=15)
    spend(ada)
    with refused("spend_limit") as facts:
        spend(ada)
    assert facts["period"] == "month"


def test_limit_can_be_raised_and_lifted(ada: Caller) -> None:
    ada.call("set_spend_limit", period="day", tokens=10)
    spend(ada)
    ada.call("set_spend_limit", period="day", tokens=20)
    spend(ada)
    for _ in range(2):
        assert ada.call("lift_spend_limit", period="day")["tokens"] is None
    spend(ada, 3)
    assert ada.rows("select * from api.spend_limits") == []


def test_zero_limit_allows_only_free_uses(ada: Caller, service: Caller) -> None:
    ada.call("set_spend_limit", period="day", tokens=0)
    with refused("spend_limit"):
        spend(ada)
    free = service.call("consume_tokens", user_id=ada.user_id, module_id="metube", byok=True)
    assert free["cost"] == 0


def test_user_cannot_lift_what_a_service_set(ada: Caller, service: Caller) -> None:
    service.call("set_spend_limit", user_id=ada.user_id, period="day", tokens=10)
    ada.call("set_spend_limit", period="day", tokens=1000)
    ada.call("lift_spend_limit", period="day")
    spend(ada)
    with refused("spend_limit"):
        spend(ada)
    assert ada.row("select set_by, tokens from api.spend_limits") == {"set_by": "service", "tokens": 10}
    service.call("lift_spend_limit", user_id=ada.user_id, period="day")
    spend(ada, 3)


def test_users_set_and_see_only_their_own_limits(ada: Caller, user: User) -> None:
    ada.call("set_spend_limit", period="day", tokens=10)
    eve = user()
    with refused("not_yours"):
        eve.call("set_spend_limit", user_id=ada.user_id, period="day", tokens=1)
    with refused("not_yours"):
        eve.call("lift_spend_limit", user_id=ada.user_id, period="day")
    assert eve.rows("select * from api.spend_limits") == []


@pytest.mark.parametrize("tokens", ["NaN", "Infinity", -1, "0.0000001", 10**13])
def test_spend_limit_must_be_an_amount(ada: Caller, tokens: Any) -> None:
    with refused("bad_amount"):
        ada.row("select * from api.set_spend_limit('day', %s::text::numeric)", (str(tokens),))


@pytest.mark.parametrize("period", ["week", "", None, "day; drop table"])
def test_period_must_be_day_or_month(ada: Caller, period: str | None) -> None:
    with refused("bad_period"):
        ada.call("set_spend_limit", period=period, tokens=1)
    with refused("bad_period"):
        ada.call("lift_spend_limit", period=period)


def test_quote_says_what_the_limit_still_allows(ada: Caller) -> None:
    ada.call("set_spend_limit", period="day", tokens=15)
    quote = ada.call("quote_tokens", module_id="metube")
    assert (quote["available"], quote["affordable"], quote["sufficient"]) == (15, 1, True)
    spend(ada)
    assert ada.call("quote_tokens", module_id="metube")["sufficient"] is False


def test_limits_begin_anew_with_each_day_and_month(admin: Connection) -> None:
    """Across midnight, without a spend in between, and across the end of the month."""
    bank = Caller(admin, "none")
    admin.execute("begin")
    try:
        stop_clock(admin, "2031-11-30 23:59:59Z")
        bank.call("add_tokens", user_id="clock", tokens=1000)
        bank.call("set_spend_limit", user_id="clock", period="day", tokens=20)
        bank.call("set_spend_limit", user_id="clock", period="month", tokens=30)
        charge = {"user_id": "clock", "module_id": "metube"}
        bank.call("consume_tokens", **charge)
        bank.call("consume_tokens", **charge)
        with refused("spend_limit") as facts:
            bank.call("consume_tokens", **charge)
        assert (facts["period"], facts["reset_at"]) == ("day", "2031-12-01T00:00:00+00:00")
        stop_clock(admin, "2031-12-01 00:00Z")
        left = bank.rows(
            "select period, spent, remaining from api.spend_limits where user_id = 'clock' order by period"
        )
        assert left == [
            {"period": "day", "spent": 0, "remaining": 20},
            {"period": "month", "spent": 0, "remaining": 30},
        ]
        for day in ("2031-12-01", "2031-12-02"):
            stop_clock(admin, f"{day} 00:00Z")
            bank.call("consume_tokens", **charge)
        stop_clock(admin, "2031-12-02 18:00Z")
        bank.call("consume_tokens", **charge)
        with refused("spend_limit") as facts:
            bank.call("consume_tokens", **charge)
        assert (facts["period"], facts["spent"]) == ("month", 30)
        assert facts["reset_at"] == "2032-01-01T00:00:00+00:00"
        assert findings(bank) == []
    finally:
        admin.execute("rollback")


def test_day_that_begins_during_the_wait_counts(admin: Connection) -> None:
    """The day begins after the periods were begun and before the due time is set. The next call begins it."""
    bank = Caller(admin, "none")
    with admin.transaction(force_rollback=True):
        stop_clock(admin, "2031-11-30 23:59:59Z")
        bank.call("add_tokens", user_id="clock", tokens=1000)
        bank.call("set_spend_limit", user_id="clock", period="day", tokens=20)
        stop_clock(admin, "2031-12-01 00:00Z")
        bank.rows("select credits.set_due(credits.account_of('clock', false))")
        charge = {"user_id": "clock", "module_id": "metube"}
        bank.call("consume_tokens", **charge)
        bank.call("consume_tokens", **charge)
        with refused("spend_limit") as facts, admin.transaction():
            bank.call("consume_tokens", **charge)
        assert facts["spent"] == 20
        assert findings(bank) == []


def test_fifty_concurrent_spends_keep_the_limit(ada: Caller, crowd: Crowd) -> None:
    ada.call("set_spend_limit", period="day", tokens=55)
    charge = {"user_id": ada.user_id, "module_id": "metube"}
    results = at_once([partial(service.call, "consume_tokens", **charge) for service in crowd(50)])
    assert slugs(results) == ["spend_limit"] * 45
    assert ada.balance() == Decimal(950)


def test_session_time_zone_does_not_move_the_day(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)
    bank.call("set_spend_limit", user_id="clock", period="day", tokens=10)
    bank.call("consume_tokens", user_id="clock", module_id="metube")
    bank.connection.execute(
        "set timezone = 'UTC12'"
    )  # what is called UTC in there has its midnight at this noon
    clock_hold(bank, 0, ttl="1 second")
    bank.at("2098-06-01 12:00:01Z")  # the hold is over, so the next call looks at the time
    with refused("spend_limit"):
        bank.call("consume_tokens", user_id="clock", module_id="metube")
    row = bank.row("select spent, resets_at = '2098-06-02 00:00Z' as at_midnight from api.spend_limits")
    assert row == {"spent": 10, "at_midnight": True}


def test_charge_posted_after_midnight_counts_for_the_new_day(bank: Bank) -> None:
    bank.at("2098-06-01 23:59:59.999999Z")
    bank.call("add_tokens", user_id="clock", tokens=100)
    bank.call("set_spend_limit", user_id="clock", period="day", tokens=50)
    for _ in range(3):  # a microsecond apart, on a clock that stands still
        bank.call("consume_tokens", user_id="clock", module_id="metube")
    bank.at("2098-06-02 00:00:01Z")
    bank.call("consume_tokens", user_id="clock", module_id="metube")
    assert bank.row("select spent from api.spend_limits")["spent"] == 40
    bank.sound()
    first = bank.row("select entry_id from api.entries where seq = 2")["entry_id"]
    bank.call("refund_usage", entry_id=first)
    assert bank.row("select spent from api.spend_limits")["spent"] == 30
