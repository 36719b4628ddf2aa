"""A receipt explains an entry so that its arithmetic can be checked by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

import pricing
import psycopg
import pytest
from callers import Caller, Connection, Row, refused, steady
from holding import Bank
from hypothesis import given
from hypothesis import strategies as st
from pricing import Component
from psycopg.types.json import Jsonb
from sql.reversals.payments import paid

User = Callable[..., Caller]
DIMENSIONS = ("images", "pages", "seconds")


def by_hand(receipt: Row) -> Fraction:
    """The cost, computed from nothing but what the receipt says of each dimension."""
    total = Fraction(0)
    for part in receipt["parts"]:
        billed = max(Fraction(part["quantity"]) - Fraction(part["free_quantity"]), Fraction(0))
        assert part["free_used"] == min(part["quantity"], part["free_quantity"])
        units = billed / Fraction(part["unit_size"])
        units = Fraction(ceil(units)) if part["whole_units"] else units
        charge = sum(
            (Fraction(t["units"]) * Fraction(t["price_per_unit"]) for t in part["tiers"]), Fraction(0)
        )
        if not part["tiers"]:
            charge = units * Fraction(part["price_per_unit"])
        total += max(charge, Fraction(part["minimum_charge"])) if billed else 0
    calculation = receipt["calculation"]
    exact = total * Fraction(calculation["margin"]) / Fraction(calculation["exchange_rate"])
    return Fraction(ceil(exact * 10**6), 10**6) - Fraction(calculation["earlier_parts"])


def check(entry: Row, receipt: Row) -> None:
    """What is true of the receipt of every entry."""
    for name in (
        "entry_id",
        "kind",
        "tokens",
        "balance_before",
        "balance_after",
        "debt_after",
        "hash",
        "usage",
        "tags",
    ):
        assert receipt[name] == entry[name], name
    assert receipt["balance_before"] + receipt["tokens"] == receipt["balance_after"]
    moved = sum(lot["tokens"] for lot in receipt["lots"])
    assert receipt["tokens"] == moved - (receipt["debt_after"] - receipt["debt_before"]), receipt
    assert "provider" not in json.dumps(receipt, default=str)
    if entry["kind"] in ("spend", "byok"):
        told = receipt["calculation"]
        assert told["paid"] == told["charged"] - told["shortfall"] == -entry["tokens"]
        assert told["basis"] in ("price", "hold", "own_key")
        assert receipt["price"]["price_id"] == entry["price_id"]
        assert receipt["price"]["source"] == entry["price_source"]
        assert by_hand(receipt) == told["cost"], receipt
        if told["basis"] == "price":
            assert told["charged"] == told["cost"]
        elif told["basis"] == "hold":
            assert told["charged"] == told["held_before"]
    else:
        assert receipt["parts"] is receipt["calculation"] is None


def entries(bank: Caller, user_id: str) -> list[Row]:
    return bank.rows("select * from api.entries where user_id = %s order by seq", (user_id,))


def check_all(bank: Caller, user_id: str) -> list[Row]:
    """The receipts of all entries of a user, each of which has been checked."""
    receipts = []
    for number, entry in enumerate(entries(bank, user_id)):
        receipts.append(bank.call("receipt", entry_id=entry["entry_id"]))
        check(entry, receipts[-1])
        assert receipts[-1]["previous_hash"] == (receipts[number - 1]["hash"] if number else "")
    return receipts


def test_every_kind_of_entry_has_a_receipt_that_adds_up(bank: Bank) -> None:
    """One account with a purchase, gifts, charges, debt, refunds, a reversal, an expiry and a correction."""
    user = {"user_id": "clock"}
    gift = bank.call("add_tokens", **user, tokens=30, expires_at="2098-06-02 00:00Z", package_name="Gift")
    bank.call("set_overdraft_limit", **user, tokens=100)
    payment = paid(bank)
    first = bank.call("consume_tokens", **user, module_id="whisper", usage={"calls": 3}, tags={"job": "7"})[
        "entry_id"
    ]
    bank.call("consume_tokens", **user, module_id="whisper", byok=True)
    hold = bank.call("hold_tokens", **user, module_id="whisper", usage={"calls": 4})["hold_id"]
    bank.call("capture_hold", hold_id=hold, usage={"calls": 1}, final=False)
    part = bank.call("capture_hold", hold_id=hold)["entry_id"]
    over = bank.call("hold_tokens", **user, module_id="whisper", usage={"calls": 1})["hold_id"]
    deep = bank.call("capture_hold", hold_id=over, usage={"calls": 20})["entry_id"]
    bank.call("refund_usage", entry_id=first, tokens=10, reason="too slow")
    bank.call("refund_usage", entry_id=first, tokens=20)
    again = paid(bank)
    payment.refund(1000)
    lot = bank.call("add_tokens", **user, tokens=50)["entry_id"]
    bank.call("void_lot", lot_id=lot, tokens=5, reason="a mistake")
    bank.call("add_tokens", **user, tokens=7, expires_at="2098-06-03 00:00Z")
    bank.at("2098-06-04 12:00Z")
    bank.call("consume_tokens", **user, module_id="whisper")
    receipts = {receipt["entry_id"]: receipt for receipt in check_all(bank, "clock")}
    kinds = {receipt["kind"] for receipt in receipts.values()}
    assert kinds >= {
        *("grant", "purchase", "spend", "byok", "refund", "reversal", "repayment", "adjustment", "expire")
    }

    # The charge took the gift first, and then tokens that a payment bought.
    told = receipts[first]
    assert (told["lots"][0]["entry_id"], told["lots"][0]["tokens"]) == (gift["entry_id"], -30)
    bought = told["lots"][1]["purchase"]
    assert (bought["payment_intent_id"], bought["pack_id"]) == (payment.intent, "standard")
    assert (bought["amount"], bought["currency"], bought["reversed"]) == (3999, "eur", 1000)
    assert told["lots"][0]["purchase"] is None
    assert (told["refunded"], [refund["tokens"] for refund in told["refunds"]]) == (30, [10, 20])
    assert told["refunds"][0]["reason"] == "too slow"
    assert told["tags"] == {"job": "7"}
    refund = receipts[told["refunds"][1]["entry_id"]]
    assert (refund["refunds_entry"], refund["tokens"]) == (first, 20)
    # The hold was captured in two parts.
    told = receipts[part]
    assert (told["hold"]["hold_id"], told["hold"]["part"], told["hold"]["parts"]) == (hold, 2, 2)
    assert [capture["tokens"] for capture in told["hold"]["captures"]] == [-25, -75]
    assert (told["calculation"]["earlier_parts"], told["calculation"]["basis"]) == (25, "price")
    # What the lots could not pay became debt, and the next purchase repaid it.
    told = receipts[deep]
    assert told["calculation"]["debt"] == told["debt_after"] - told["debt_before"] > 0
    repaid = next(receipt for receipt in receipts.values() if receipt["kind"] == "repayment")
    assert repaid["lots"][0]["purchase"]["payment_intent_id"] == again.intent
    assert (repaid["debt_before"], repaid["debt_after"]) == (told["debt_after"], 0)
    reversal = next(receipt for receipt in receipts.values() if receipt["kind"] == "reversal")
    assert reversal["purchase"]["order_id"] == str(payment.order["order_id"])


def test_a_capture_of_all_that_is_held_says_so(bank: Bank) -> None:
    """Its usage is what the hold was made for and is left of that, so the price need not explain it."""
    bank.call("add_tokens", user_id="clock", tokens=1000)
    bank.rows(
        "select credits.define_price(%s, p_module_id => 'whisper')",
        (Jsonb([{"dimension": "images", "price_per_unit": 3}, {"dimension": "pages", "price_per_unit": 5}]),),
    )
    hold = bank.call("hold_tokens", user_id="clock", module_id="whisper", usage={"images": 10, "pages": 10})
    bank.call("capture_hold", hold_id=hold["hold_id"], usage={"images": 12, "pages": 0}, final=False)
    last = bank.call("capture_hold", hold_id=hold["hold_id"])
    receipt = check_all(bank, "clock")[-1]
    told = receipt["calculation"]
    assert (last["cost"], told["basis"], told["held_before"], told["cost"]) == (44, "hold", 44, 50)


@pytest.fixture(scope="module")
def till(admin: Connection, admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url) as connection:
        yield connection


def _json(value: Any) -> str:
    """JSON with decimals as numbers, digit for digit."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    return f"{value:f}" if isinstance(value, Decimal) else json.dumps(value)


def attempted(shop: Caller, function: str, **arguments: Any) -> Row | None:
    """None when the bank refuses the quantities or has too few tokens."""
    try:
        with shop.connection.transaction():
            return shop.call(function, **arguments)
    except psycopg.Error as error:
        assert error.sqlstate in ("PT402", "PT422"), error
        return None


@steady(40)
@given(
    components=st.lists(pricing.components, min_size=1, max_size=3),
    quantities=st.lists(st.lists(pricing.quantities, min_size=3, max_size=3), min_size=1, max_size=4),
    margin=st.sampled_from([Decimal(text) for text in ("0", "1", "1.05", "2.345678")]),
    exchange_rate=st.sampled_from([Decimal(text) for text in ("1", "1.08", "3", "7.7")]),
)
@pytest.mark.one_version
def test_receipts_agree_with_charges_at_any_price(
    till: Connection,
    components: list[Component],
    quantities: list[list[Decimal]],
    margin: Decimal,
    exchange_rate: Decimal,
) -> None:
    """Each usage is charged by itself, and again as a part of one hold."""
    names = DIMENSIONS[: len(components)]
    price = [{"dimension": name} | component for name, component in zip(names, components, strict=True)]
    asked = {"user_id": "shopper", "module_id": "property"}
    till.execute("begin")
    try:
        shop = Caller(till, "none")
        shop.call("add_tokens", user_id="shopper", tokens=10**12)
        shop.rows("select credits.define_module('property', 'Property', 'audio')")
        shop.rows(
            "select credits.define_price(%s::jsonb, 'property', null, %s::numeric, %s::numeric)",
            (_json(price), margin, exchange_rate),
        )
        usages = [_json(dict(zip(names, each, strict=False))) for each in quantities]
        charges = [attempted(shop, "consume_tokens", **asked, usage=usage) for usage in usages]
        hold = attempted(shop, "hold_tokens", **asked, usage=usages[0])
        if hold is not None:
            charges += [
                attempted(shop, "capture_hold", hold_id=hold["hold_id"], usage=usage, final=False)
                for usage in usages
            ]
        receipts = check_all(shop, "shopper")[1:]
        assert len(receipts) == sum(charge is not None for charge in charges)
        assert all(receipt["calculation"]["basis"] == "price" for receipt in receipts)
    finally:
        till.rollback()


def test_a_receipt_is_for_the_owner_and_for_services(user: User, service: Caller, admin: Connection) -> None:
    ada, bob = user(100), user(100)
    entry = ada.call("consume_tokens", module_id="whisper")["entry_id"]
    receipt = ada.call("receipt", entry_id=entry)
    assert receipt == service.call("receipt", entry_id=entry)
    assert receipt["user_id"] == ada.user_id
    nobody = Caller(ada.connection, "authenticated")
    for caller, asked, slug in (
        (bob, entry, "unknown_entry"),
        (ada, entry.replace(":2", ":3"), "unknown_entry"),
        (ada, "nothing", "unknown_entry"),
        (nobody, entry, "not_signed_in"),
    ):
        with refused(slug):
            caller.call("receipt", entry_id=asked)
    for role in ("anon", "spender", "support", "analyst", "auditor"):
        with admin.transaction(force_rollback=True), pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.execute(f"set local role {role}")
            admin.execute("select api.receipt(%s)", (entry,))
    for role, may in (("support", True), ("auditor", True), ("analyst", False), ("authenticated", False)):
        with admin.transaction(force_rollback=True):
            admin.execute(f"set local role {role}")
            if may:
                row = admin.execute("select r.entry_id from audit.receipt(%s) as r", (entry,)).fetchone()
                assert row == (entry,)
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    admin.execute("select audit.receipt(%s)", (entry,))
