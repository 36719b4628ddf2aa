"""Parts of a user's own hold may cost 0 where their unit is paid. They are recorded, and bounded."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from callers import Row, refused
from holding import Bank, UserWithin

pytestmark = pytest.mark.slow

TEN_SECONDS = {"unit_size": 10, "whole_units": True, "price_per_unit": 1}


class Ada(UserWithin):
    def hold(self, seconds: Any) -> str:
        held = self.call("hold_tokens", module_id="voice", usage={"seconds": seconds}, ttl="24 hours")
        return str(held["hold_id"])

    def part(self, hold_id: str, seconds: Any, final: bool = False) -> Row:
        return self.call("capture_hold", hold_id=hold_id, usage={"seconds": seconds}, final=final)  # type: ignore[no-any-return]


def priced(bank: Bank, **component: Any) -> None:
    bank.rows("select credits.define_module('voice', 'Voice')")
    price = json.dumps([{"dimension": "seconds", **component}])
    bank.rows("select credits.define_price(%s, p_module_id => 'voice')", (price,))


@pytest.fixture
def ada(bank: Bank) -> Ada:
    bank.call("add_tokens", user_id="clock", tokens=1000)
    return Ada(bank.connection, "clock")


def recorded(bank: Bank) -> tuple[Decimal, Decimal]:
    """The seconds in the ledger, and the tokens charged for them."""
    row = bank.row(
        "select sum((usage -> 'seconds')::numeric) as seconds, -sum(tokens) as tokens"
        " from api.entries where kind = 'spend'"
    )
    return row["seconds"], row["tokens"]


@pytest.mark.parametrize(
    ("component", "parts", "costs"),
    [
        (TEN_SECONDS, [1, 1, 8, 5, 15], [1, 0, 0, 1, 1]),
        ({"price_per_unit": 0.0001}, [0.004, 0.004, 0.004], ["0.000001", 0, "0.000001"]),
        (TEN_SECONDS | {"minimum_charge": 2}, [10, 10, 1], [2, 0, 1]),
        (TEN_SECONDS | {"free_quantity": 5}, [3, 2, 2, 8], [0, 0, 1, 0]),
    ],
    ids=["whole units", "rounding", "minimum", "free"],
)
@pytest.mark.parametrize("last", [False, True], ids=["parts", "last part ends it"])
def test_parts_of_a_users_hold_cost_what_the_whole_costs(
    bank: Bank, ada: Ada, component: Row, parts: list[Any], costs: list[Any], last: bool
) -> None:
    priced(bank, **component)
    held = ada.hold(30)
    told = [
        ada.part(held, seconds, last and place == len(parts) - 1)["cost"]
        for place, seconds in enumerate(parts)
    ]
    assert told == [Decimal(cost) for cost in costs]
    whole = bank.call("quote_tokens", user_id="clock", module_id="voice", usage={"seconds": sum(parts)})
    assert recorded(bank) == (Decimal(str(sum(parts))), whole["cost"])
    bank.sound()


@pytest.mark.parametrize("usage", [{"seconds": 9}, {"seconds": 0}, '"held"'])
def test_last_part_ends_a_hold_with_nothing_left_to_pay(bank: Bank, ada: Ada, usage: Any) -> None:
    priced(bank, **TEN_SECONDS)
    held = ada.hold(10)
    assert ada.part(held, 1)["held"] == 0
    ended = ada.call("capture_hold", hold_id=held, usage=usage)
    assert (ended["state"], ended["cost"], ended["paid"]) == ("captured", 0, 0)
    again = bank.row("select state, captured from api.holds")
    assert again == {"state": "captured", "captured": 1}
    assert recorded(bank) == (1 if usage == {"seconds": 0} else 10, 1)
    bank.sound()


def test_last_part_may_come_late(bank: Bank, ada: Ada) -> None:
    priced(bank, **TEN_SECONDS)
    held = ada.call("hold_tokens", module_id="voice", usage={"seconds": 30}, ttl="1 minute")["hold_id"]
    ada.part(held, 1)
    bank.at("2098-06-01 12:05Z")
    ended = ada.part(held, 9, True)
    assert (ended["late"], ended["cost"]) == (True, 0)
    assert recorded(bank) == (10, 1)
    bank.sound()


def test_users_use_that_costs_nothing_is_refused(bank: Bank, ada: Ada) -> None:
    priced(bank, **TEN_SECONDS, free_quantity=5)
    held = ada.hold(30)
    for seconds, final in ((0, True), (0, False), (5, True)):
        with refused("bad_usage"):
            ada.part(held, seconds, final)
    ada.part(held, 4)
    for seconds, final in ((0, True), (0, False), (1, True)):
        with refused("bad_usage"):
            ada.part(held, seconds, final)
    ada.part(held, 2)
    with refused("bad_usage"):
        ada.part(held, 0)  # nothing was used
    assert recorded(bank) == (6, 1)


@pytest.mark.slow
@pytest.mark.parametrize("paid", [1, 2])
def test_parts_beyond_100_per_paid_token_count_as_unpaid(bank: Bank, ada: Ada, paid: int) -> None:
    bank.rows("select credits.bound_unpaid(3)")
    priced(bank, **(TEN_SECONDS | {"price_per_unit": paid}))
    held = ada.hold(30)
    ada.part(held, 1)
    for _ in range(100 * paid - 1):
        assert ada.part(held, 0.001)["cost"] == 0
    assert bank.row("select unpaid from credits.wallets") == {"unpaid": 0}
    for _ in range(3):
        ada.part(held, 0.001)
    with refused("unpaid_limit") as facts:
        ada.part(held, 0.001)
    assert facts["limit"] == 3
    # A part that costs something does not count, nor does a service's.
    assert ada.part(held, 9)["cost"] == paid
    bank.call("capture_hold", hold_id=held, usage={"seconds": 0}, final=False)


def test_parts_within_a_free_quantity_are_bounded_too(bank: Bank, ada: Ada) -> None:
    bank.rows("select credits.bound_unpaid(3)")
    priced(bank, **TEN_SECONDS, free_quantity=5)
    held = ada.hold(30)
    for _ in range(3):
        ada.part(held, 0.001)
    with refused("unpaid_limit"):
        ada.part(held, 0.001)
    ada.part(held, 20, True)
