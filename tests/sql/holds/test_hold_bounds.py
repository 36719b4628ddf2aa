"""A hold freezes prices and lots only for a time: nobody can renew it for ever to their own gain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from callers import Caller, refused
from holding import Bank, clock_hold, hold

pytestmark = pytest.mark.slow

User = Callable[..., Caller]


@pytest.fixture
def ada(bank: Bank) -> Caller:
    """The user whose clock the bank sets."""
    bank.call("add_tokens", user_id="clock", tokens=1000)
    return bank.user()


def extend(caller: Caller, held: dict[str, Any], ttl: str = "24 hours") -> str:
    """The time until which the hold then lasts."""
    return str(caller.call("extend_hold", hold_id=held["hold_id"], ttl=ttl)["expires_at"].isoformat())


# The user's own


def test_extensions_never_pass_24_hours_of_a_users_hold(bank: Bank, ada: Caller) -> None:
    held = hold(ada, 4, ttl="24 hours")
    for hour in (13, 18, 23):
        bank.at(f"2098-06-01 {hour}:00Z")
        assert extend(ada, held) == "2098-06-02T12:00:00+00:00"
        ada.call("capture_hold", hold_id=held["hold_id"], usage={"calls": 1}, final=False)
    bank.at("2098-06-02 11:59:59Z")
    assert extend(ada, held, "15 minutes") == "2098-06-02T12:00:00+00:00"
    bank.at("2098-06-02 12:00Z")
    for call in ("extend_hold", "capture_hold"):
        with refused("hold_closed") as facts:
            ada.call(call, hold_id=held["hold_id"])
        assert facts["state"] == "expired"
    assert bank.row("select held, captured from api.holds") == {"held": 0, "captured": 75}


def test_service_cannot_extend_a_users_hold_further_either(bank: Bank, ada: Caller) -> None:
    held = hold(ada)
    bank.at("2098-06-01 12:10Z")
    assert extend(bank, held) == "2098-06-02T12:00:00+00:00"


def test_hold_can_be_made_shorter_and_long_again(bank: Bank, ada: Caller) -> None:
    held = hold(ada, ttl="10 hours")
    assert extend(ada, held, "1 hour") == "2098-06-01T13:00:00+00:00"
    assert extend(ada, held, "2 hours") == "2098-06-01T14:00:00+00:00"


def test_user_captures_an_expired_hold_within_24_hours_of_making_it(bank: Bank, ada: Caller) -> None:
    first, second = hold(ada), hold(ada)
    bank.at("2098-06-02 11:59:59Z")
    assert ada.call("capture_hold", hold_id=first["hold_id"])["late"] is True
    bank.at("2098-06-02 12:00Z")
    with refused("hold_closed") as facts:
        ada.call("capture_hold", hold_id=second["hold_id"])
    assert facts["state"] == "expired"
    # A service's finished work must be paid: it may capture for a day after the hold expired.
    assert bank.call("capture_hold", hold_id=second["hold_id"])["late"] is True


@pytest.mark.parametrize("status", ["frozen", "closed"])
def test_inactive_user_neither_extends_nor_captures_a_hold(bank: Bank, ada: Caller, status: str) -> None:
    held = hold(ada, 4, ttl="1 hour")
    bank.rows(
        "update credits.wallets set status = %s where account_id ="
        " (select account_id from credits.identities where subject = 'clock') returning 1",
        (status,),
    )
    for final in (False, True):
        for calls in (0, 1, 4, 9):
            with refused("account_frozen"):
                ada.call("capture_hold", hold_id=held["hold_id"], usage={"calls": calls}, final=final)
    with refused("account_frozen"):
        ada.call("capture_hold", hold_id=held["hold_id"])
    with refused("account_frozen"):
        ada.call("extend_hold", hold_id=held["hold_id"], ttl="1 minute")
    bank.at("2098-06-01 14:00Z")
    with refused("account_frozen"):
        ada.call("capture_hold", hold_id=held["hold_id"], usage={"calls": 0})
    assert bank.row("select captured from credits.holds") == {"captured": 0}


def test_frozen_user_may_release_and_goes_on_when_thawed(bank: Bank, ada: Caller) -> None:
    first, second = hold(ada, 4), hold(ada)
    bank.call("freeze_account", user_id="clock")
    with refused("account_frozen"):
        ada.call("capture_hold", hold_id=first["hold_id"])
    assert ada.call("release_hold", hold_id=second["hold_id"])["state"] == "released"
    bank.call("thaw_account", user_id="clock")
    assert ada.call("capture_hold", hold_id=first["hold_id"])["paid"] == 100


def test_capture_is_told_again_to_a_user_frozen_since(bank: Bank, ada: Caller) -> None:
    held = hold(ada)
    captured = ada.call("capture_hold", hold_id=held["hold_id"], idempotency_key="k")
    bank.call("freeze_account", user_id="clock")
    again = ada.call("capture_hold", hold_id=held["hold_id"], idempotency_key="k")
    assert again == captured | {"replayed": True}


# A service's


def test_extensions_never_pass_7_days_of_a_services_hold(bank: Bank, ada: Caller) -> None:
    held = clock_hold(bank, ttl="24 hours")
    for day in range(2, 8):
        bank.at(f"2098-06-0{day} {13 - day:02}:00Z")
        assert extend(bank, held) == f"2098-06-0{day + 1}T{13 - day:02}:00:00+00:00"
    bank.at("2098-06-08 05:59Z")
    assert extend(bank, held) == "2098-06-08T12:00:00+00:00"
    bank.at("2098-06-08 12:00Z")
    with refused("hold_closed"):
        bank.call("extend_hold", hold_id=held["hold_id"])
    late = bank.call("capture_hold", hold_id=held["hold_id"])  # finished work is not lost
    assert (late["late"], late["paid"]) == (True, 25)


def test_operator_sets_how_long_a_services_hold_lasts(bank: Bank, ada: Caller) -> None:
    bank.rows("select credits.bound_holds(p_longest => '36 hours')")
    held = clock_hold(bank, ttl="24 hours")
    bank.at("2098-06-02 11:00Z")
    assert extend(bank, held) == "2098-06-03T00:00:00+00:00"
    bank.rows("select credits.bound_holds(p_longest => '24 hours')")
    assert extend(bank, held) == "2098-06-03T00:00:00+00:00"  # it takes nothing that was given
    bank.rows("select credits.bound_holds(p_longest => '31 days', p_most_open => 5)")
    assert extend(bank, held) == "2098-06-03T11:00:00+00:00"


@pytest.mark.parametrize("longest", ["23 hours 59 minutes", "-7 days", "0", "1 month 2 days", "infinity"])
def test_bound_of_a_services_hold_is_1_to_31_days(bank: Bank, longest: str) -> None:
    if longest == "infinity" and bank.connection.info.server_version < 170000:
        pytest.skip("intervals end before PostgreSQL 17")
    with refused("bad_ttl"):
        bank.rows("select credits.bound_holds(p_longest => %s)", (longest,))


@pytest.mark.parametrize("most", [0, -1, 100_001])
def test_bound_of_open_holds_is_from_1_to_100000(bank: Bank, most: int) -> None:
    with refused("bad_limit"):
        bank.rows("select credits.bound_holds(p_most_open => %s)", (most,))


# Lots


@pytest.mark.parametrize("head", [False, True], ids=["", "after a spend"])
def test_no_hold_keeps_a_lot_over_24_hours_past_its_date(bank: Bank, head: bool) -> None:
    bank.call("add_tokens", user_id="clock", tokens=110, expires_at="2098-06-01 18:00Z")
    bank.call("add_tokens", user_id="clock", tokens=1000)
    if head:
        bank.call("consume_tokens", user_id="clock", module_id="metube")
    held = clock_hold(bank, 4, ttl="24 hours")
    assert held["draws"] == [{"lot_id": 1, "tokens": 100}]
    bank.at("2098-06-02 11:00Z")
    assert extend(bank, held) == "2098-06-02T18:00:00+00:00"
    bank.at("2098-06-02 17:59Z")
    assert extend(bank, held) == "2098-06-02T18:00:00+00:00"
    bank.at("2098-06-02 18:00Z")
    assert bank.standing() == (1000, 0, 1000)
    shown = bank.row("select remaining, held, expired from api.lots where user_id = 'clock' and lot_id = 1")
    assert shown == {"remaining": 0, "held": 0, "expired": True}
    with refused("hold_closed"):
        extend(bank, held)
    # The hold's work is paid from the tokens that there are.
    late = bank.call("capture_hold", hold_id=held["hold_id"])
    assert (late["paid"], late["late"], late["shortfall"]) == (100, True, 0)
    assert [draw["lot_id"] for draw in late["draws"]] == [2]
    assert bank.row("select sum(tokens) from api.entries where user_id = 'clock' and kind = 'expire'") == {
        "sum": -110 + 10 * head
    }


def test_captured_part_of_a_lot_does_not_bound_the_rest(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=50, expires_at="2098-06-01 13:00Z")
    bank.call("add_tokens", user_id="clock", tokens=1000)
    held = clock_hold(bank, 4, ttl="24 hours")
    assert len(held["draws"]) == 2
    bank.at("2098-06-02 11:00Z")
    assert extend(bank, held) == "2098-06-02T13:00:00+00:00"
    bank.call("capture_hold", hold_id=held["hold_id"], usage={"calls": 2}, final=False)
    assert extend(bank, held) == "2098-06-03T11:00:00+00:00"


def test_audit_finds_a_hold_that_lasts_too_long(bank: Bank, ada: Caller) -> None:
    held = hold(ada)
    bank.rows("update credits.holds set expires_at = created_at + interval '25 hours' returning 1")
    found = bank.rows("select check_name, expected from audit.findings where check_name <> 'check_release'")
    assert [row["check_name"] for row in found] == ["check_holds"]
    assert held["hold_id"].split(":")[1] in found[0]["expected"]
    ada.call("release_hold", hold_id=held["hold_id"])
    bank.call("add_tokens", user_id="clock", tokens=100, expires_at="2098-06-01 18:00Z", priority=1)
    held = clock_hold(bank)
    bank.rows("update credits.holds set expires_at = '2098-06-02 18:00:01Z' where state = 'open' returning 1")
    assert len(bank.rows("select * from audit.findings where check_name <> 'check_release'")) == 1
    bank.call("release_hold", hold_id=held["hold_id"])


# How many


@pytest.mark.slow
@pytest.mark.parametrize("cost", [0, 1])
def test_account_has_at_most_100_open_holds(user: User, service: Caller, cost: int) -> None:
    ada = user(10_000)
    maker = ada if cost else service  # a user holds nothing for nothing
    holds = [hold(maker, cost, user_id=ada.user_id) for _ in range(100)]
    for caller in (ada, maker):
        with refused("too_many_holds") as facts:
            hold(caller, cost, user_id=ada.user_id, idempotency_key="one more")
        assert facts == {"error": "too_many_holds", "limit": 100}
    maker.call("release_hold", hold_id=holds[0]["hold_id"])
    for replayed in (False, True):
        again = hold(maker, cost, user_id=ada.user_id, idempotency_key="one more")
        assert again["replayed"] is replayed
    assert hold(user(100))["state"] == "open"  # nobody else is stopped
    for held in ada.rows("select hold_id from api.holds where state = 'open'"):
        maker.call("release_hold", hold_id=held["hold_id"])


def test_hold_that_has_expired_is_not_counted(bank: Bank, ada: Caller) -> None:
    bank.rows("select credits.bound_holds(p_most_open => 2)")
    hold(ada)
    hold(ada, ttl="1 hour")
    with refused("too_many_holds") as facts:
        hold(ada)
    assert facts["limit"] == 2
    bank.at("2098-06-01 12:15Z")
    hold(ada)
    with refused("too_many_holds"):
        hold(ada)


def test_users_holds_do_not_stop_a_services_holds(bank: Bank, ada: Caller) -> None:
    bank.rows("select credits.bound_holds(p_most_open => 3)")
    for _ in range(3):
        hold(ada)
    for _ in range(3):
        with refused("too_many_holds"):
            hold(ada)
        clock_hold(bank)
    with refused("too_many_holds") as facts:
        clock_hold(bank)
    assert facts["limit"] == 3
    bank.rows("select credits.bound_holds(p_most_open => 4)")
    with refused("too_many_holds"):
        hold(ada)  # the account has six
    clock_hold(bank)
