"""Stripe's balance, its charges, refunds, disputes and payouts, and our orders tell of the same money."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest
from callers import Caller, Row
from holding import Bank
from mirroring import page, read, reading
from stripe_events import COMPLETED, attached, event, session

CREATED = 1795200000
KINDS = {"ch": "charges", "re": "refunds", "dp": "disputes", "po": "payouts", "tx": "balance_transactions"}
World = dict[str, Row]


def moved(number: int, amount: int, source: str | None, kind: str) -> Row:
    return {
        **{"id": f"txn_{number}", "object": "balance_transaction", "amount": amount, "currency": "eur"},
        **{"created": CREATED, "source": source, "type": kind, "status": "available", "exchange_rate": None},
    }


@pytest.fixture
def world(bank: Bank) -> World:
    """A purchase, and what Stripe's lists say of it: a failed refund, a dispute that was won, a payout."""
    order = attached(bank, bank.call("create_order", user_id="ada", pack_id="standard"))
    paid = session(order)
    assert bank.call("apply_stripe_event", event=event(COMPLETED, paid))["outcome"] == "granted"
    amount = paid["amount_total"]
    taken, back = moved(4, -300, "dp_1", "adjustment"), moved(5, 300, "dp_1", "adjustment")
    objects: list[Row] = [
        {"id": "ch_1", "object": "charge", "status": "succeeded", "amount": amount, "amount_captured": amount}
        | {"captured": True, "payment_intent": paid["payment_intent"], "balance_transaction": "txn_1"},
        {"id": "re_1", "object": "refund", "status": "failed", "amount": 100, "charge": "ch_1"}
        | {"balance_transaction": {"id": "txn_2"}, "failure_balance_transaction": "txn_3"},
        {"id": "dp_1", "object": "dispute", "status": "won", "amount": 300, "charge": "ch_1"}
        | {"balance_transactions": [dict(taken), dict(back)]},
        {"id": "po_1", "object": "payout", "status": "paid", "amount": 700, "balance_transaction": "txn_6"},
        moved(1, amount, "ch_1", "charge"),
        moved(2, -100, "re_1", "refund"),
        moved(3, 100, "re_1", "refund_failure"),
        taken,
        back,
        moved(6, -700, "po_1", "payout"),
        moved(7, -5, None, "stripe_fee"),
    ]
    return {one["id"]: {"currency": "eur", "created": CREATED} | one for one in objects}


@pytest.fixture
def told(bank: Bank) -> Callable[[World], list[tuple[str, str]]]:
    """told(world): what the audit finds when Stripe's lists say that."""

    bank.at("2098-09-01 12:00Z")

    def tell(world: World) -> list[tuple[str, str]]:
        for prefix, name in KINDS.items():
            read(bank, name, *(one for key, one in world.items() if key.startswith(prefix)))
        return findings(bank)

    return tell


def findings(bank: Caller) -> list[tuple[str, str]]:
    rows = bank.rows("select expected, found from audit.check_stripe_balance order by 1, 2")
    return [(row["expected"], row["found"]) for row in rows]


def test_audit_agrees_that_the_money_is_the_same(
    world: World, told: Callable[[World], list[tuple[str, str]]]
) -> None:
    assert told(world) == []
    # The next pull says the same.
    assert told(world) == []


def spoilt(world: World, name: str, **changes: object) -> World:
    return deepcopy(world) | {name: world[name] | changes}


def without(world: World, name: str) -> World:
    return {key: one for key, one in world.items() if key != name}


NONE = "Stripe has no such balance transaction"
FAULTS: list[tuple[str, Callable[[World], World], list[tuple[str, str]]]] = [
    (
        "the balance has another amount",
        lambda world: spoilt(world, "txn_1", amount=1),
        [("balance transaction txn_1 of charge ch_1 moves 3999 eur", "it moves 1 eur of ch_1")],
    ),
    (
        "the balance has another currency",
        lambda world: spoilt(world, "txn_2", currency="usd"),
        [("balance transaction txn_2 of refund re_1 moves -100 eur", "it moves -100 usd of re_1")],
    ),
    (
        "a refund brings money",
        lambda world: spoilt(world, "txn_2", amount=90, currency="usd", exchange_rate=0.9),
        [("balance transaction txn_2 of refund re_1 moves -100 eur", "it moves 90 usd of re_1")],
    ),
    (
        "the transaction is another charge's",
        lambda world: spoilt(world, "txn_1", source="ch_1x") | {"ch_1x": world["ch_1"] | {"id": "ch_1x"}},
        [
            ("3999 eur were charged for order {order}, as was paid", "Stripe has charged 7998 eur"),
            ("balance transaction txn_1 of charge ch_1 moves 3999 eur", "it moves 3999 eur of ch_1x"),
        ],
    ),
    (
        "the dispute has taken more",
        lambda world: spoilt(world, "txn_4", amount=-301),
        [("balance transaction txn_4 of dispute dp_1 moves -300 eur", "it moves -301 eur of dp_1")],
    ),
    (
        "the payout was of less",
        lambda world: spoilt(world, "txn_6", amount=-600),
        [("balance transaction txn_6 of payout po_1 moves -700 eur", "it moves -600 eur of po_1")],
    ),
    (
        "the money of a charge never came",
        lambda world: without(world, "txn_1"),
        [("balance transaction txn_1 of charge ch_1 is in the balance", NONE)],
    ),
    (
        "the money of a won dispute never came back",
        lambda world: without(world, "txn_5"),
        [("balance transaction txn_5 of dispute dp_1 is in the balance", NONE)],
    ),
    (
        "a payout never left",
        lambda world: without(world, "txn_6"),
        [("balance transaction txn_6 of payout po_1 is in the balance", NONE)],
    ),
    (
        "the charge names no transaction",
        lambda world: without(spoilt(world, "ch_1", balance_transaction=None), "txn_1"),
        [("charge ch_1 of 3999 eur has a balance transaction", "it names none")],
    ),
    (
        "money of a charge that nobody lists",
        lambda world: world | {"txn_8": moved(8, 900, "ch_8", "charge")},
        [
            (
                "charge ch_8, of balance transaction txn_8, is at Stripe",
                "Stripe has no such charge, and 900 eur have moved",
            )
        ],
    ),
    (
        "money of a refund that nobody lists",
        lambda world: world | {"txn_8": moved(8, -900, "re_8", "payment_refund")},
        [
            (
                "refund re_8, of balance transaction txn_8, is at Stripe",
                "Stripe has no such refund, and -900 eur have moved",
            )
        ],
    ),
    (
        "a charge's money twice",
        lambda world: world | {"txn_8": moved(8, 3999, "ch_1", "charge")},
        [
            (
                "charge ch_1 names each balance transaction of its money",
                "not txn_8, which moves 3999 eur (charge)",
            )
        ],
    ),
    (
        "a dispute's money twice",
        lambda world: world | {"txn_8": moved(8, -300, "dp_1", "adjustment")},
        [
            (
                "dispute dp_1 names each balance transaction of its money",
                "not txn_8, which moves -300 eur (adjustment)",
            )
        ],
    ),
    (
        "more was charged than the order has",
        lambda world: spoilt(spoilt(world, "txn_1", amount=4000), "ch_1", amount=4000, amount_captured=4000),
        [("3999 eur were charged for order {order}, as was paid", "Stripe has charged 4000 eur")],
    ),
    (
        "the order was paid in another currency",
        lambda world: spoilt(spoilt(world, "txn_1", currency="usd"), "ch_1", currency="usd"),
        [("3999 eur were charged for order {order}, as was paid", "Stripe has charged 3999 usd")],
    ),
    (
        "nothing was charged for the order",
        lambda world: without(without(world, "txn_1"), "ch_1"),
        [("the payment {payment} of order {order} was charged", "Stripe has no charge of it that succeeded")],
    ),
]


@pytest.mark.parametrize(
    ("spoil", "expected"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_difference_is_found(
    bank: Bank,
    world: World,
    told: Callable[[World], list[tuple[str, str]]],
    spoil: Callable[[World], World],
    expected: list[tuple[str, str]],
) -> None:
    order = bank.row("select order_id, payment_intent_id from credits.orders where state = 'paid'")
    names = {"order": order["order_id"], "payment": order["payment_intent_id"]}
    assert told(spoil(world)) == [(says.format(**names), found.format(**names)) for says, found in expected]
    account = bank.row("select account_id from credits.orders where state = 'paid'")["account_id"]
    blamed = {row["account_id"] for row in bank.rows("select account_id from audit.check_stripe_balance")}
    assert blamed <= {account, None}
    bank.connection.execute("delete from credits.stripe_mirror")
    bank.connection.execute("delete from credits.stripe_cursors")


def test_converted_money_is_accepted(world: World, told: Callable[[World], list[tuple[str, str]]]) -> None:
    for name in ("txn_1", "txn_2", "txn_3"):
        amount = round(world[name]["amount"] * 1.1)
        world = spoilt(world, name, amount=amount, currency="usd", exchange_rate=1.1)
    assert told(world) == []


def test_charge_that_failed_later_is_accepted(
    world: World, told: Callable[[World], list[tuple[str, str]]]
) -> None:
    """A bank debit whose money was taken back: nothing is captured any more, and money has moved twice."""
    world = spoilt(
        world, "ch_1", status="failed", amount_captured=0, captured=False, failure_balance_transaction="txn_8"
    ) | {"txn_8": moved(8, -3999, "ch_1", "payment_failure_refund")}
    assert told(world) == []


def test_lists_that_were_not_read_say_nothing(bank: Bank, world: World) -> None:
    """A key that may not read the balance, or the charges, finds nothing missing there."""
    for prefix in ("ch", "re", "dp", "po"):
        read(bank, KINDS[prefix], *(one for key, one in world.items() if key.startswith(prefix)))
    assert findings(bank) == []
    reading(bank, "balance_transactions")
    page(bank, "balance_transactions", world["txn_1"], more=True)  # not to its end
    assert findings(bank) == []


def test_objects_before_the_first_day_that_was_read_are_not_missing(bank: Bank, world: World) -> None:
    """A refund of May may have its money in June."""
    world = {key: one for key, one in world.items() if key.startswith("tx")}
    for name in KINDS.values():
        reading(bank, name, "2026-11-20 00:00Z")
    for name in ("charges", "refunds", "disputes", "payouts"):
        page(bank, name)
    page(bank, "balance_transactions", *world.values())
    assert [found for _, found in findings(bank) if "refund" in found or "payout" in found] == []


def test_object_may_change_after_the_balance_was_read(
    bank: Bank, world: World, told: Callable[[World], list[tuple[str, str]]]
) -> None:
    before = without(without(spoilt(world, "dp_1", balance_transactions=[]), "txn_4"), "txn_5")
    assert told(before) == []
    bank.at("2098-09-02 12:00Z")
    read(bank, "disputes", world["dp_1"])
    assert findings(bank) == []
    read(bank, "balance_transactions", world["txn_4"], world["txn_5"])
    assert findings(bank) == []
