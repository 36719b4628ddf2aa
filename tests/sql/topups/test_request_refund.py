"""Refunds that we start: tokens are withheld, money goes back through Stripe, and nothing goes back twice."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from callers import Row, findings, refused
from holding import Bank, hold
from topping import claim, paid_order, report, tell

BROKEN = {"http_status": 400, "type": "invalid_request_error", "code": "charge_already_refunded"}


@pytest.fixture
def order(bank: Bank) -> Row:
    """500 tokens for 39.99."""
    return paid_order(bank, "ada")


def ask(bank: Bank, order: Row, **more: Any) -> Row:
    return bank.call("request_refund", user_id="ada", order_id=order["order_id"], **more)


def tokens(bank: Bank) -> tuple[Decimal, Decimal]:
    """The balance, and what may be spent of it on a module."""
    balance = bank.row("select balance from api.balance where user_id = 'ada'")["balance"]
    free = bank.row(
        "select credits.spendable(w.account_id, 'metube', credits.clock()) as free from credits.wallets as w"
    )
    return balance, free["free"]


def state(bank: Bank) -> list[str]:
    return [row["state"] for row in bank.rows("select state from api.refund_requests order by requested_at")]


def refund(call: Row, **changes: Any) -> Row:
    """The refund that Stripe makes for a call."""
    params = call["params"]
    return {
        "id": f"re_{call['call_id']}",
        "object": "refund",
        "amount": params["amount"],
        "currency": "eur",
        "payment_intent": params["payment_intent"],
        "charge": None,
        "metadata": params["metadata"],
        "status": "succeeded",
    } | changes


def test_refund_withholds_first_and_takes_when_the_money_has_gone(bank: Bank, order: Row) -> None:
    asked = ask(bank, order, tokens=100)
    assert (asked["state"], asked["amount"], asked["currency"]) == ("open", 799, "eur")
    assert asked["tokens"] == Decimal("99.899974")  # of 500, for 799 of 3999
    assert tokens(bank) == (500, 500 - asked["tokens"])
    (call,) = claim(bank)
    assert (call["kind"], call["params"]["amount"]) == ("refund", 799)
    report(bank, call, {"object": refund(call)})
    assert (state(bank), tokens(bank)) == (["refunded"], (500, 500 - asked["tokens"]))
    tell(bank, "refund.created", refund(call))
    assert tokens(bank) == (500 - asked["tokens"], 500 - asked["tokens"])


@pytest.mark.parametrize("steps", list(permutations(("report", "created", "updated", "again"))))
def test_refund_counts_once_in_every_order(bank: Bank, order: Row, steps: tuple[str, ...]) -> None:
    asked = ask(bank, order, amount=2000)
    (call,) = claim(bank)
    for step in steps:
        if step == "report":
            report(bank, call, {"object": refund(call, status="pending")})
        elif step == "created":
            tell(bank, "refund.created", refund(call, status="pending"))
        else:
            tell(bank, "refund.updated", refund(call))
    assert state(bank) == ["refunded"]
    assert tokens(bank) == (500 - asked["tokens"], 500 - asked["tokens"])


def test_refused_refund_frees_its_tokens(bank: Bank, order: Row) -> None:
    ask(bank, order, tokens="Infinity")
    assert tokens(bank) == (500, 0)
    (call,) = claim(bank)
    report(bank, call, BROKEN)
    assert (state(bank), tokens(bank)) == (["failed"], (500, 500))
    trouble = bank.row("select trouble from api.refund_requests")["trouble"]
    assert trouble == "charge_already_refunded"


def test_refund_that_fails_later_gives_the_tokens_back(bank: Bank, order: Row) -> None:
    ask(bank, order, amount=2000)
    (call,) = claim(bank)
    report(bank, call, {"object": refund(call)})
    tell(bank, "refund.created", refund(call))
    tell(bank, "refund.failed", refund(call, status="failed", failure_reason="lost_or_stolen_card"))
    assert (state(bank), tokens(bank)) == (["failed"], (500, 500))


def test_answer_that_got_lost_is_asked_for_again_with_the_same_key(bank: Bank, order: Row) -> None:
    ask(bank, order, tokens="Infinity")
    (first,) = claim(bank)
    report(bank, first, {"message": "no answer"})
    bank.at("2098-06-01 12:01Z")
    (second,) = claim(bank)
    assert second["idempotency_key"] == first["idempotency_key"]
    report(bank, second, {"object": refund(second)})
    tell(bank, "refund.created", refund(second))
    assert (state(bank), tokens(bank)) == (["refunded"], (0, 0))


def test_part_that_was_spent_or_is_held_is_not_refunded(bank: Bank, order: Row) -> None:
    for _ in range(10):
        bank.call("consume_tokens", user_id="ada", module_id="metube")
    hold(bank, 4, user_id="ada")
    with refused("bad_amount") as refusal:
        ask(bank, order, tokens=301)
    assert refusal["tokens"] <= 300
    asked = ask(bank, order, tokens="Infinity")
    assert asked["amount"] == 3999 * 300 // 500
    assert tokens(bank)[1] < 1
    with refused("bad_amount"):
        ask(bank, order, amount=1)


def test_parts_never_sum_to_more_than_was_paid(bank: Bank, order: Row) -> None:
    amounts = [ask(bank, order, amount=1500)["amount"], ask(bank, order, amount=1500)["amount"]]
    with refused("bad_amount"):
        ask(bank, order, amount=1000)
    amounts.append(ask(bank, order, tokens="Infinity")["amount"])
    assert sum(amounts) == 3999
    for call in claim(bank):
        report(bank, call, {"object": refund(call)})
        tell(bank, "refund.created", refund(call))
    assert tokens(bank) == (0, 0)


def test_refund_at_stripe_meanwhile_leaves_less(bank: Bank, order: Row) -> None:
    intent_id = bank.row("select payment_intent_id from credits.orders")["payment_intent_id"]
    ask(bank, order, amount=2000)
    thing = {
        "id": "re_dashboard",
        "object": "refund",
        "amount": 3000,
        "currency": "eur",
        "payment_intent": intent_id,
        "status": "succeeded",
    }
    tell(bank, "refund.created", thing)
    assert findings(bank) == []  # Stripe has not refused ours yet
    (call,) = claim(bank)
    report(bank, call, BROKEN)
    assert state(bank) == ["failed"]
    assert tokens(bank)[0] == 500 - Decimal(500 * 3000 * 10**6 // 3999) / 10**6


def test_repeat_gets_the_same_request(bank: Bank, order: Row) -> None:
    first = ask(bank, order, amount=100, idempotency_key="r")
    again = ask(bank, order, amount=100, idempotency_key="r")
    assert again == first | {"replayed": True}
    with refused("key_reused"):
        ask(bank, order, amount=101, idempotency_key="r")
    assert len(claim(bank)) == 1


def test_unpaid_order_and_odd_amounts_are_refused(bank: Bank, order: Row) -> None:
    unpaid = bank.call("create_order", user_id="ada", pack_id="basique")
    with refused("not_refundable"):
        ask(bank, unpaid, amount=5)
    for amounts in (
        {"amount": 0},
        {"amount": -1},
        {"amount": 4000},
        {"amount": 5, "tokens": 5},
        {"tokens": 501},
    ):
        with refused("bad_amount"):
            ask(bank, order, **amounts)
    bank.call("open_account", user_id="eve")
    with refused("unknown_order"):
        bank.call("request_refund", user_id="eve", order_id=order["order_id"], amount=5)


def with_bonus(bank: Bank) -> Row:
    """400 tokens and a bonus of 100 for 40.00. The bonus, which was free, is spent first."""
    bank.rows("select credits.define_pack('more', 'More', 400, 4000, 'eur', p_bonus_tokens => 100)")
    return paid_order(bank, "ada", "more")


def spend(bank: Bank, tokens: int) -> None:
    for _ in range(tokens // 10):
        bank.call("consume_tokens", user_id="ada", module_id="metube")


def test_spent_bonus_is_withheld_in_the_lot_of_its_purchase(bank: Bank) -> None:
    order = with_bonus(bank)
    spend(bank, 100)
    assert ask(bank, order, amount=1600)["tokens"] == 200  # 160, and 40 of the bonus
    assert tokens(bank) == (400, 200)
    lots = "select source, remaining, withheld from api.lots order by lot_id"
    assert [tuple(row.values()) for row in bank.rows(lots)] == [("purchase", 400, 200), ("bonus", 0, 0)]
    assert bank.row("select available from api.balance where user_id = 'ada'")["available"] == 200
    spend(bank, 200)
    with refused("insufficient_tokens"):
        spend(bank, 10)
    (call,) = claim(bank)
    tell(bank, "refund.created", refund(call))
    assert bank.row("select balance, debt from api.balance where user_id = 'ada'") == {
        "balance": 0,
        "debt": 0,
    }


@pytest.mark.parametrize("first", [1, 799, 1600, 3199])
def test_requests_never_ask_back_what_a_spent_bonus_had_cost(first: int, bank: Bank) -> None:
    order = with_bonus(bank)
    spend(bank, 100)
    amounts = [ask(bank, order, amount=first)["amount"], ask(bank, order, tokens="Infinity")["amount"]]
    assert sum(amounts) == 3200  # for the 400 of 500 tokens that are left
    with refused("bad_amount"):
        ask(bank, order, amount=1)
    for call in claim(bank):
        tell(bank, "refund.created", refund(call))
    assert bank.row("select balance, debt from api.balance where user_id = 'ada'") == {
        "balance": 0,
        "debt": 0,
    }


@pytest.mark.parametrize("end", ["captured", "released", "expired"])
def test_tokens_of_a_hold_whose_money_may_go_back_are_not_free_when_it_ends(end: str, bank: Bank) -> None:
    order = with_bonus(bank)
    held = hold(bank, 16, user_id="ada")["hold_id"]  # the bonus of 100, and 300
    found = bank.row("select payment_intent_id from credits.orders where order_id = %s", (order["order_id"],))
    intent_id = found["payment_intent_id"]
    thing = {"id": "re_1", "object": "refund", "amount": 2000, "currency": "eur", "payment_intent": intent_id}
    tell(bank, "refund.created", thing | {"status": "pending"})  # of 250 tokens: 100 are free
    assert tokens(bank) == (500, 0)
    if end == "captured":
        bank.call("capture_hold", hold_id=held, usage={"calls": 8})
    elif end == "released":
        bank.call("release_hold", hold_id=held)
    else:
        bank.at("2098-06-01 13:00Z")
    assert tokens(bank) == ((300, 50) if end == "captured" else (500, 250))
    tell(bank, "refund.updated", thing | {"status": "succeeded"})
    assert tokens(bank) == ((50, 50) if end == "captured" else (250, 250))


def test_request_ends_with_a_refund_that_does_not_name_it(bank: Bank, order: Row) -> None:
    ask(bank, order, amount=2000)
    (call,) = claim(bank)
    told = refund(call, metadata={})
    tell(bank, "refund.created", told)
    report(bank, call, {"object": told})
    assert tell(bank, "refund.updated", told) == "applied"
    assert tell(bank, "refund.updated", told) == "duplicate"
    left = 500 - Decimal(500 * 2000 * 10**6 // 3999) / 10**6
    assert tokens(bank) == (left, left)
