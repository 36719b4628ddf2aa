"""Charging what was held: less, exactly, more, in parts, late. Each hold ends once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from callers import BOOKS, Caller, Connection, Row, refused
from holding import Bank, clock_hold, hold, standing

User = Callable[..., Caller]


@pytest.fixture(autouse=True)
def sound(admin: Connection) -> Iterator[None]:
    """The books close after every test."""
    yield
    assert admin.execute(BOOKS).fetchall() == []


def capture(caller: Caller, held: Row, calls: int | None = None, **arguments: Any) -> Row:
    usage = {} if calls is None else {"usage": {"calls": calls}}
    return caller.call("capture_hold", hold_id=held["hold_id"], **usage, **arguments)


# Less, exactly, more


def test_capture_without_usage_charges_all_that_is_held(user: User) -> None:
    ada = user(100)
    held = hold(ada, 3, metadata={"job": 7})
    captured = capture(ada, held)
    account = held["hold_id"].split(":")[0]
    assert captured == {
        "hold_id": held["hold_id"],
        "entry_id": f"{account}:2",
        "user_id": ada.user_id,
        "module_id": "whisper",
        "state": "captured",
        "cost": 75,
        "paid": 75,
        "debt": 0,
        "shortfall": 0,
        "held": 0,
        "released": 0,
        "balance": 25,
        "draws": [{"lot_id": 1, "tokens": 75}],
        "late": False,
        "replayed": False,
        "price_source": "category",
        "refunded": 0,
    }
    assert standing(ada) == (25, 0, 25)
    entry = ada.row("select * from api.entries where seq = 2")
    assert (entry["kind"], entry["tokens"], entry["balance_after"]) == ("spend", -75, 25)
    assert (entry["usage"], entry["metadata"]) == ({"calls": 3}, {"job": 7})
    assert entry["reference"] == held["hold_id"].split(":")[1]
    row = ada.row("select state, held, captured, duration_ms > 0 as took from api.holds")
    assert row == {"state": "captured", "held": 0, "captured": 75, "took": True}


@pytest.mark.parametrize("spends", [0, 2], ids=["", "after spends"])
@pytest.mark.parametrize("calls", [1, 2, 3])
def test_unused_rest_of_a_hold_goes_back(user: User, calls: int, spends: int) -> None:
    ada = user(100 + 10 * spends)
    for _ in range(spends):
        ada.call("consume_tokens", module_id="metube")
    captured = capture(ada, hold(ada, 3), calls)
    assert (captured["cost"], captured["paid"], captured["released"]) == (
        25 * calls,
        25 * calls,
        75 - 25 * calls,
    )
    assert standing(ada) == (100 - 25 * calls, 0, 100 - 25 * calls)
    assert ada.call("consume_tokens", module_id="metube")["balance"] == 90 - 25 * calls
    assert (
        ada.row("select lifetime_spent from api.balance")["lifetime_spent"] == 25 * calls + 10 * spends + 10
    )


def test_capture_takes_the_first_draws_and_frees_the_rest(user: User, service: Caller) -> None:
    ada = user(40, priority=1)
    service.call("add_tokens", user_id=ada.user_id, tokens=40, priority=2)
    service.call("add_tokens", user_id=ada.user_id, tokens=40, priority=3)
    held = hold(ada, 4)
    assert held["draws"] == [{"lot_id": n, "tokens": t} for n, t in ((1, 40), (2, 40), (3, 20))]
    assert capture(ada, held, 2)["draws"] == [{"lot_id": 1, "tokens": 40}, {"lot_id": 2, "tokens": 10}]
    left = ada.rows("select remaining, held from api.lots order by lot_id")
    assert [(row["remaining"], row["held"]) for row in left] == [(0, 0), (30, 0), (40, 0)]


def test_more_than_held_comes_from_other_lots_in_burn_order(user: User, service: Caller) -> None:
    ada = user(50, priority=5)
    held = hold(ada, 2)
    service.call("add_tokens", user_id=ada.user_id, tokens=30, priority=9)
    service.call("add_tokens", user_id=ada.user_id, tokens=30, priority=8)
    service.call("add_tokens", user_id=ada.user_id, tokens=99, priority=1, scope="module:metube")
    captured = capture(ada, held, 4)
    assert (captured["cost"], captured["paid"], captured["shortfall"]) == (100, 100, 0)
    assert captured["draws"] == [{"lot_id": n, "tokens": t} for n, t in ((1, 50), (3, 30), (2, 20))]
    assert standing(ada) == (109, 0, 109)


def test_capture_beyond_its_hold_leaves_other_holds_alone(user: User, service: Caller) -> None:
    ada = user(100)
    first, second = hold(service, 2, user_id=ada.user_id), hold(ada, 2)
    captured = capture(service, first, 3)
    assert (captured["paid"], captured["shortfall"]) == (50, 25)
    assert capture(ada, second)["paid"] == 50


def test_service_captures_past_a_limit_and_on_a_frozen_account(user: User, service: Caller) -> None:
    ada = user(1000)
    ada.call("set_spend_limit", period="day", tokens=50)
    held, other = hold(service, user_id=ada.user_id), hold(ada)
    service.call("freeze_account", user_id=ada.user_id, reason="a look at it")
    assert capture(service, held, 10)["paid"] == 250
    assert ada.call("release_hold", hold_id=other["hold_id"])["state"] == "released"
    with refused("account_frozen"):
        hold(ada)
    service.call("thaw_account", user_id=ada.user_id)
    with refused("spend_limit") as facts:
        hold(ada)
    assert (facts["spent"], facts["held"]) == (250, 0)


# Beyond the lots


def test_unpayable_rest_is_a_shortfall_and_not_a_refusal(user: User, service: Caller) -> None:
    ada = user(60)
    captured = capture(service, hold(service, user_id=ada.user_id), 4)
    assert {name: captured[name] for name in ("state", "cost", "paid", "debt", "shortfall", "balance")} == {
        "state": "captured",
        "cost": 100,
        "paid": 60,
        "debt": 0,
        "shortfall": 40,
        "balance": 0,
    }
    assert captured["draws"] == [{"lot_id": 1, "tokens": 25}, {"lot_id": 1, "tokens": 35}]
    row = ada.row("select * from api.shortfalls")
    assert (row["tokens"], row["state"], row["closed_at"]) == (40, "open", None)
    assert (row["hold_id"], row["entry_id"]) == (captured["hold_id"], captured["entry_id"])
    assert ada.row("select captured from api.holds")["captured"] == 60


@pytest.mark.parametrize(
    ("over", "debt", "shortfall"), [("debt", 30, 10), ("available", 0, 40)], ids=["debt", "available"]
)
def test_over_says_whether_debt_pays(
    user: User, service: Caller, over: str, debt: int, shortfall: int
) -> None:
    ada = user(60)
    service.call("set_overdraft_limit", user_id=ada.user_id, tokens=30)
    captured = capture(service, hold(service, user_id=ada.user_id), 4, over=over)
    assert (captured["paid"], captured["debt"], captured["shortfall"]) == (60 + debt, debt, shortfall)
    assert captured["balance"] == -debt
    shown = ada.row("select balance, debt, available, lifetime_spent from api.balance")
    assert shown == {"balance": -debt, "debt": debt, "available": 0, "lifetime_spent": 60 + debt}


@pytest.mark.parametrize("by_user", [True, False], ids=["user", "service"])
def test_over_error_does_nothing_and_leaves_the_hold_open(user: User, service: Caller, by_user: bool) -> None:
    ada = user(60)
    service.call("set_overdraft_limit", user_id=ada.user_id, tokens=1000)
    caller = ada if by_user else service
    held = hold(caller, user_id=ada.user_id)
    with refused("insufficient_tokens") as facts:
        capture(caller, held, 4, over="error", idempotency_key="k")
    assert (facts["balance"], facts["cost"], facts["missing"], facts["affordable"]) == (60, 100, 40, 2)
    assert standing(ada) == (60, 25, 35)
    captured = capture(caller, held, 2, over="error", idempotency_key="k")
    assert (captured["paid"], captured["replayed"]) == (50, False)


@pytest.mark.parametrize("over", ["", "Debt", "nothing", None])
def test_over_is_debt_available_or_error(user: User, over: str | None) -> None:
    ada = user(60)
    held = hold(ada)
    with refused("bad_over"):
        capture(ada, held, over=over)


# In parts


def test_streaming_charges_parts_and_keeps_the_rest_held(user: User) -> None:
    ada = user(100)
    held = hold(ada, 4)
    first = capture(ada, held, 1, final=False)
    assert (first["state"], first["paid"], first["held"], first["released"]) == ("open", 25, 75, 0)
    assert standing(ada) == (75, 75, 0)
    with refused("insufficient_tokens"):
        ada.call("consume_tokens", module_id="metube")
    second = capture(ada, held, 1, final=False)
    assert (second["held"], second["balance"]) == (50, 50)
    last = capture(ada, held, 1)
    assert (last["state"], last["paid"], last["held"], last["released"]) == ("captured", 25, 0, 25)
    assert standing(ada) == (25, 0, 25)
    assert ada.row("select captured from api.holds")["captured"] == 75
    assert ada.row("select count(*) from api.usage where hold_id = %s", (held["hold_id"],))["count"] == 3


def test_last_part_without_usage_charges_and_records_what_is_left(user: User) -> None:
    ada = user(100)
    held = hold(ada, 4)
    capture(ada, held, 3, final=False)
    assert capture(ada, held)["paid"] == 25
    used = ada.rows("select usage from api.usage order by used_at")
    assert [row["usage"] for row in used] == [{"calls": 3}, {"calls": 1}]


def test_parts_beyond_the_held_tokens_are_charged_too(user: User, service: Caller) -> None:
    ada = user(60)
    held = hold(service, user_id=ada.user_id)
    assert capture(service, held, 2, final=False)["paid"] == 50
    more = capture(service, held, 2, final=False)
    assert (more["paid"], more["shortfall"], more["state"]) == (10, 40, "open")
    last = capture(service, held)
    assert (last["cost"], last["state"]) == (0, "captured")
    assert ada.row("select captured from api.holds")["captured"] == 60


def test_releasing_the_rest_ends_the_hold_as_captured(user: User) -> None:
    ada = user(100)
    held = hold(ada, 4)
    capture(ada, held, 1, final=False)
    released = ada.call("release_hold", hold_id=held["hold_id"], reason="enough", idempotency_key="k")
    assert (released["state"], released["released"], released["captured"]) == ("captured", 75, 25)
    assert standing(ada) == (75, 0, 75)
    again = ada.call("release_hold", hold_id=held["hold_id"], reason="enough", idempotency_key="k")
    assert again == released | {"replayed": True}
    with refused("hold_closed"):
        capture(ada, held)


# Once


def test_second_capture_is_refused(user: User) -> None:
    ada = user(100)
    held = hold(ada)
    capture(ada, held)
    for calls in (None, 0, 1, 99):
        with refused("hold_closed") as facts:
            capture(ada, held, calls)
    assert facts == {"error": "hold_closed", "state": "captured"}
    assert standing(ada) == (75, 0, 75)


@pytest.mark.parametrize(
    ("by_user", "calls", "overdraft"),
    [
        *((True, calls, 0) for calls in (None, 1, 3)),
        *((False, calls, 0) for calls in (None, 0, 1, 3)),
        *((False, 5, overdraft) for overdraft in (0, 15, 99)),
    ],
)
def test_repeat_with_its_key_gets_the_same_answer(
    user: User, service: Caller, by_user: bool, calls: int | None, overdraft: int
) -> None:
    ada = user(100)
    service.call("set_overdraft_limit", user_id=ada.user_id, tokens=overdraft)
    caller = ada if by_user else service
    held = hold(caller, 3, user_id=ada.user_id)
    part = capture(caller, held, 1, final=False, idempotency_key="part")
    last = capture(caller, held, calls, idempotency_key="last")
    service.call("add_tokens", user_id=ada.user_id, tokens=100, reason="purchase")
    ada.call("consume_tokens", module_id="metube")
    ended = {"state": "captured", "held": 0, "replayed": True}  # as the hold is by now
    assert capture(caller, held, 1, final=False, idempotency_key="part") == part | ended
    assert capture(caller, held, calls, idempotency_key="last") == last | {"replayed": True}
    for other in ({"calls": 2, "final": False}, {"calls": 1}, {"calls": 1, "final": False, "over": "error"}):
        with refused("key_reused"):
            capture(caller, held, idempotency_key="part", **other)


def test_key_of_one_hold_is_not_for_another(user: User) -> None:
    ada = user(100)
    first, second = hold(ada), hold(ada)
    capture(ada, first, idempotency_key="k")
    with refused("key_reused"):
        capture(ada, second, idempotency_key="k")


@pytest.mark.parametrize("usage", [{"pages": 1}, {"calls": -1}, {"calls": 1, "pages": 1}, [], {"calls": "1"}])
def test_usage_must_fit_the_price(user: User, usage: Any) -> None:
    ada = user(100)
    held = hold(ada)
    with refused("bad_usage"):
        ada.row(
            "select * from api.capture_hold(%s, usage => %s)",
            (held["hold_id"], psycopg.types.json.Jsonb(usage)),
        )
    assert standing(ada) == (100, 25, 75)


# The price and the lots of the hold


def test_hold_keeps_its_version_of_the_price(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=1000)
    held = clock_hold(bank, 2)
    late = clock_hold(bank, 2)
    bank.at("2098-06-01 12:01Z")
    bank.rows(
        "select credits.define_price(%s::jsonb, p_module_id => 'whisper')",
        ('[{"dimension": "pages", "price_per_unit": 400}]',),
    )
    assert bank.call("quote_tokens", module_id="whisper", usage={"pages": 1}, user_id="clock")["cost"] == 400
    captured = capture(bank, held, 3)
    assert (captured["cost"], captured["paid"]) == (75, 75)
    price = bank.row("select price_id, usage from api.usage where user_id = 'clock'")
    assert price == {
        "price_id": bank.row("select price_id from api.holds where held = 50")["price_id"],
        "usage": {"calls": 3},
    }
    bank.at("2098-06-01 13:00Z")
    assert capture(bank, late, 4)["cost"] == 100
    with refused("bad_usage"):
        clock_hold(bank)


def test_module_withdrawn_meanwhile_is_charged_all_the_same(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)
    held = clock_hold(bank, 2)
    bank.rows("update credits.modules set active = false where module_id = 'whisper' returning 1")
    bank.rows("select credits.list_prices()")
    assert capture(bank, held, 1)["paid"] == 25


def test_lot_that_expired_while_it_was_held_still_pays_and_its_rest_expires(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100, expires_at="2098-06-01 12:05Z")
    bank.call("add_tokens", user_id="clock", tokens=30)
    held = clock_hold(bank, 3)
    bank.at("2098-06-01 12:10Z")
    captured = capture(bank, held, 2)
    assert (captured["paid"], captured["draws"]) == (50, [{"lot_id": 1, "tokens": 50}])
    assert bank.standing() == (30, 0, 30)
    kinds = bank.rows("select kind, tokens from api.entries where user_id = 'clock' order by seq")
    assert [(row["kind"], row["tokens"]) for row in kinds] == [
        ("grant", 100),
        ("grant", 30),
        ("expire", -25),
        ("spend", -50),
        ("expire", -25),
    ]


def test_lot_frozen_while_it_was_held_still_pays(user: User, service: Caller, admin: Connection) -> None:
    ada = user(100)
    held = hold(service, 2, user_id=ada.user_id)
    admin.execute(
        "update credits.lots set frozen = true where account_id ="
        " (select account_id from credits.identities where subject = %s)",
        (ada.user_id,),
    )
    captured = capture(service, held, 3)
    assert (captured["paid"], captured["shortfall"]) == (50, 25)  # not what was not held


# Late


def test_late_capture_is_a_fresh_debit_and_says_so(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)
    held = clock_hold(bank, 3)
    bank.at("2098-06-01 12:15Z")
    assert bank.call("consume_tokens", module_id="whisper", user_id="clock")["balance"] == 75
    captured = capture(bank, held, 2, idempotency_key="k")
    assert {name: captured[name] for name in ("state", "late", "paid", "held", "released")} == {
        "state": "expired",
        "late": True,
        "paid": 50,
        "held": 0,
        "released": 0,
    }
    assert capture(bank, held, 2, idempotency_key="k") == captured | {"replayed": True}
    row = bank.row("select state, late, captured from api.holds where user_id = 'clock'")
    assert row == {"state": "expired", "late": True, "captured": 50}
    reference = bank.row("select reference from api.entries where user_id = 'clock' and seq = 3")["reference"]
    assert reference == held["hold_id"].split(":")[1] + ":late"
    assert bank.row("select count(*) from api.usage where hold_id = %s", (held["hold_id"],))["count"] == 1
    with refused("hold_closed") as facts:
        capture(bank, held, 1)
    assert facts["state"] == "expired"
    assert bank.standing() == (25, 0, 25)


@pytest.mark.parametrize("swept", [False, True], ids=["", "booked"])
def test_late_capture_ends_after_24_hours(bank: Bank, swept: bool) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)
    first, second = clock_hold(bank), clock_hold(bank)
    bank.at("2098-06-02 12:14:59.999999Z")
    if swept:
        bank.call("maintain")
    assert capture(bank, first)["late"] is True
    bank.at("2098-06-02 12:15Z")
    with refused("hold_closed"):
        capture(bank, second)
    assert bank.standing() == (75, 0, 75)


def test_unpayable_late_capture_is_debt_and_shortfall(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)
    bank.call("set_overdraft_limit", user_id="clock", tokens=20)
    held = clock_hold(bank, 4)
    bank.at("2098-06-01 13:00Z")
    bank.call("consume_tokens", module_id="whisper", usage={"calls": 4}, user_id="clock")
    captured = capture(bank, held)
    assert (captured["cost"], captured["paid"], captured["debt"], captured["shortfall"]) == (100, 20, 20, 80)
    assert captured["draws"] == []


def test_late_capture_without_usage_charges_what_was_still_held(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=200)
    held = clock_hold(bank, 4)
    capture(bank, held, 1, final=False)
    bank.at("2098-06-01 13:00Z")
    bank.call("maintain")
    captured = capture(bank, held, final=False)  # late, there is only one
    assert (captured["paid"], captured["state"]) == (75, "expired")
    assert bank.row("select captured, late from api.holds where user_id = 'clock'") == {
        "captured": 100,
        "late": True,
    }
    with refused("hold_closed"):
        capture(bank, held, 0)


# What is seen of it


def test_usage_shows_the_hold_and_its_duration(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)
    held = clock_hold(bank)
    bank.at("2098-06-01 12:00:02.5Z")
    capture(bank, held)
    bank.call("consume_tokens", module_id="metube", user_id="clock", metadata={"duration_ms": 40})
    bank.call("consume_tokens", module_id="metube", user_id="clock")
    used = bank.rows("select hold_id, duration_ms from api.usage where user_id = 'clock' order by entry_id")
    assert [(row["hold_id"], row["duration_ms"]) for row in used] == [
        (held["hold_id"], 2500),
        (None, 40),
        (None, None),
    ]


def test_figures_count_each_hold_once_by_how_it_ended(
    bank: Bank, connect_as: Callable[..., Connection]
) -> None:
    def service(function: str, **arguments: Any) -> Row:
        return Caller(connect_as("service_role"), "service_role").call(function, **arguments)

    for name in ("clock", "ada"):
        bank.call("add_tokens", user_id=name, tokens=1000)
    ended: list[tuple[str, dict[str, Any]]] = [
        ("capture_hold", {}),
        ("capture_hold", {"usage": {"calls": 2}}),
        ("release_hold", {"reason": "failed: no GPU"}),
        ("release_hold", {"reason": "Timeout"}),
        ("release_hold", {"reason": "cancelled by the user"}),
        ("release_hold", {}),
    ]
    names = [
        service("hold_tokens", module_id="whisper", user_id="clock")["hold_id"] for _ in range(len(ended) + 3)
    ]
    streamed, lost, late = names[-3:]
    bank.at("2098-06-01 12:00:03Z")
    for name, (function, arguments) in zip(names, ended, strict=False):
        service(function, hold_id=name, **arguments)
    for final in (False, False, True):
        service("capture_hold", hold_id=streamed, usage={"calls": 1}, final=final)
    # A user's word makes no failure.
    ada = Caller(connect_as("authenticated", "ada"), "authenticated", "ada")
    ada.call("release_hold", hold_id=hold(ada)["hold_id"], reason="failed")
    ada.call("capture_hold", hold_id=hold(ada)["hold_id"])
    hold(ada)
    bank.at("2098-06-01 12:30Z")
    service("capture_hold", hold_id=late)
    for booked in (False, True):
        if booked:
            bank.call("maintain")
        for analyst in (bank, Caller(connect_as("pgcredits_analyst"), "pgcredits_analyst")):
            row = analyst.rows("select * from analytics.module_reliability")[0]
            assert (row["succeeded"], row["failed"]) == (2 + 1 + 1 + 1, 2 + 1)
            # Two of the service's, and two of ada's own: what users do with theirs is no failure.
            assert (row["started"], row["called_off"], row["open"]) == (12, 2 + 2, 0)
            assert row["mean_duration_ms"] == (3000 * 3 + 1_800_000) / 4
            assert row["mean_duration_of_failed_ms"] == (3000 * 2 + 900_000) / 3
    assert lost not in {row["hold_id"] for row in bank.rows("select hold_id from api.usage")}
    free = bank.rows("select captured from api.holds where state = 'released'")
    assert {row["captured"] for row in free} == {0}


def test_repeats_are_right_even_if_everything_has_one_time(bank: Bank) -> None:
    """On a clock that stands still, entries are a microsecond apart. No time shows what ended a hold."""
    bank.call("add_tokens", user_id="clock", tokens=200)
    for ends_by_capture in (True, False):
        held = clock_hold(bank, 4)
        bank.at("2098-06-01 12:10Z" if ends_by_capture else "2098-06-01 12:20Z")
        calls = [{"usage": {"calls": 1}, "final": False, "idempotency_key": f"part {ends_by_capture}"}]
        if ends_by_capture:
            calls.append({"usage": {"calls": 2}, "idempotency_key": "last"})
        answers = [bank.call("capture_hold", hold_id=held["hold_id"], **call) for call in calls]
        if not ends_by_capture:
            bank.call("release_hold", hold_id=held["hold_id"])
        assert [answer["state"] for answer in answers] == ["open", "captured"][: len(calls)]
        assert [answer["released"] for answer in answers] == [0, 25][: len(calls)]
        again = [bank.call("capture_hold", hold_id=held["hold_id"], **call) for call in calls]
        ended = {"state": "captured", "held": 0, "replayed": True}
        assert again == [answer | ended for answer in answers]


@pytest.mark.parametrize(
    "component",
    [
        '{"dimension": "calls", "price_per_unit": 5, "free_quantity": 10}',
        '{"dimension": "calls", "unit_size": 10, "whole_units": true, "price_per_unit": 1}',
        '{"dimension": "calls", "price_per_unit": 5, "tiers": [{"above": 10, "price_per_unit": 1}]}',
        '{"dimension": "calls", "price_per_unit": 1, "minimum_charge": 30}',
    ],
    ids=["free", "whole units", "tiers", "minimum"],
)
def test_parts_cost_together_what_the_whole_costs(bank: Bank, component: str) -> None:
    bank.rows("select credits.define_price(%s, p_module_id => 'whisper')", (f"[{component}]",))
    bank.call("add_tokens", user_id="clock", tokens=1000)
    whole = bank.call("capture_hold", hold_id=clock_hold(bank, 40)["hold_id"], usage={"calls": 40})["cost"]
    name = clock_hold(bank, 40)["hold_id"]
    parts = [
        bank.call("capture_hold", hold_id=name, usage={"calls": 10}, final=False)["cost"] for _ in range(3)
    ]
    parts.append(bank.call("capture_hold", hold_id=name, usage={"calls": 10})["cost"])
    assert sum(parts) == whole, parts


@pytest.mark.parametrize("stop", ["frozen", "limit", "default", "nothing left"])
def test_users_capture_beyond_a_hold_is_bounded_like_a_spend(user: User, service: Caller, stop: str) -> None:
    ada = user(1000 if stop != "nothing left" else 25)
    held = hold(ada, ttl="24 hours")["hold_id"]
    slug = {"frozen": "account_frozen", "limit": "spend_limit"}.get(stop, "insufficient_tokens")
    if stop == "frozen":
        service.call("freeze_account", user_id=ada.user_id)
    elif stop == "limit":
        service.call("set_spend_limit", user_id=ada.user_id, period="day", tokens=25)
    elif stop == "default":
        service.call("set_overdraft_limit", user_id=ada.user_id, tokens=25)
        work = hold(service, 39, user_id=ada.user_id)["hold_id"]
        service.call("capture_hold", hold_id=work, usage={"calls": 41})
        service.call("set_overdraft_limit", user_id=ada.user_id, tokens=0)
        service.call("add_tokens", user_id=ada.user_id, tokens=1000)
    for final in (False, True):
        with refused(slug):
            ada.call("capture_hold", hold_id=held, usage={"calls": 2}, final=final)


@pytest.mark.parametrize("over", ["debt", "available", "error"])
@pytest.mark.parametrize("final", [True, False], ids=["", "a part"])
def test_users_capture_makes_neither_debt_nor_shortfall(
    user: User, service: Caller, over: str, final: bool
) -> None:
    ada = user(60)
    service.call("set_overdraft_limit", user_id=ada.user_id, tokens=1000)
    held = hold(ada)
    with refused("insufficient_tokens") as facts:
        capture(ada, held, 3, over=over, final=final, idempotency_key="k")
    assert facts == {
        "error": "insufficient_tokens",
        "balance": 60,
        "available": 60,
        "cost": 75,
        "missing": 15,
        "affordable": 2,
    }
    assert standing(ada) == (60, 25, 35)
    captured = capture(ada, held, 2, over=over, final=final, idempotency_key="k")
    assert (captured["paid"], captured["replayed"], captured["balance"]) == (50, False, 10)
    assert ada.rows("select * from api.shortfalls") == []


def test_limit_counts_held_tokens_once_and_what_is_taken_beyond(
    user: User,
) -> None:
    ada = user(1000)
    held, other = hold(ada, 2), hold(ada)
    ada.call("set_spend_limit", period="day", tokens=100)
    with refused("spend_limit") as facts:
        capture(ada, held, 4)
    assert (facts["limit"], facts["held"], facts["cost"]) == (100, 75, 50)
    assert capture(ada, held, 3)["paid"] == 75
    assert ada.row("select spent, remaining from api.spend_limits") == {"spent": 75, "remaining": 0}
    with refused("spend_limit"):
        capture(ada, other, 2)
    assert capture(ada, other)["paid"] == 25


def test_service_captures_a_users_hold_past_all_bounds(user: User, service: Caller) -> None:
    ada = user(60)
    held = hold(ada)
    ada.call("set_spend_limit", period="day", tokens=25)
    service.call("freeze_account", user_id=ada.user_id)
    with refused("account_frozen"):
        capture(ada, held, 2)
    with refused("account_frozen"):
        capture(ada, held, 0, final=False)
    captured = capture(service, held, 4)
    assert (captured["paid"], captured["shortfall"]) == (60, 40)


@pytest.mark.parametrize("stop", ["frozen", "limit", "nothing left", ""])
def test_late_capture_by_a_user_is_a_spend(bank: Bank, stop: str) -> None:
    ada = bank.user()
    bank.call("add_tokens", user_id="clock", tokens=100)
    bank.call("set_overdraft_limit", user_id="clock", tokens=1000)
    held = hold(ada, 2)
    bank.at("2098-06-01 13:00Z")
    if stop == "frozen":
        bank.call("freeze_account", user_id="clock")
    elif stop == "limit":
        bank.call("set_spend_limit", user_id="clock", period="day", tokens=49)
    elif stop:
        bank.call("consume_tokens", user_id="clock", module_id="whisper", usage={"calls": 3})
    slug = {"frozen": "account_frozen", "limit": "spend_limit"}.get(stop, "insufficient_tokens")
    if stop:
        for calls in (None, 2):
            with refused(slug):
                capture(ada, held, calls)
        assert bank.row("select late, captured from api.holds") == {"late": False, "captured": 0}
        with refused(slug if stop == "frozen" else "bad_usage"):
            capture(ada, held, 0)
    else:
        assert capture(ada, held)["paid"] == 50


def test_part_is_answered_again_though_the_use_could_not_grow_by_it_once_more(
    bank: Bank, db: Connection
) -> None:
    """A quantity has a bound, and all parts of a use together have it too."""
    db.execute(
        "select credits.define_module('gratis', 'Gratis'),"
        """ credits.define_price('[{"dimension": "calls", "price_per_unit": 0}]', p_module_id => 'gratis')"""
    )
    bank.call("add_tokens", user_id="clock", tokens=1)
    held = bank.call("hold_tokens", module_id="gratis", user_id="clock")
    part = {"usage": {"calls": 6 * 10**14}, "final": False, "idempotency_key": "k"}
    captured = bank.call("capture_hold", hold_id=held["hold_id"], **part)
    assert bank.call("capture_hold", hold_id=held["hold_id"], **part) == captured | {"replayed": True}
    with refused("bad_usage"):
        bank.call("capture_hold", hold_id=held["hold_id"], **part | {"idempotency_key": "other"})
