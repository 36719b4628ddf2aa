"""The mirror of Stripe's lists: how a list is read, and what follows from what it says."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from callers import Caller, Row, findings, refused
from holding import Bank
from mirroring import page, read, reading
from stripe_events import COMPLETED, attached, event, session
from subscribing import PLANS, PRO, STARTER, Subscriber
from subscription_events import PAID, at, line
from topping import agree, claim, intent, with_customer

JUNE, JULY, AUGUST = (datetime(2098, month, 1, 12, tzinfo=UTC) for month in (6, 7, 8))


def missing(bank: Caller) -> tuple[list[str], list[str]]:
    row = bank.call("missing_from_stripe")
    return row["events"], row["objects"]


def refund(number: int, **changes: Any) -> Row:
    return {
        **{"id": f"re_{number}", "object": "refund", "amount": 100, "currency": "eur", "status": "succeeded"},
        **{"payment_intent": "pi_unknown", "charge": "ch_unknown", "created": 1795200000 + number},
    } | changes


def test_reading_goes_on_where_it_stopped(bank: Bank) -> None:
    assert reading(bank, "refunds") == {
        "list": "refunds",
        "path": "/v1/refunds",
        "since": None,
        "after": None,
    }
    first = page(bank, "refunds", refund(3), refund(2), more=True)
    assert (first["objects"], first["finished"]) == (2, False)
    assert reading(bank, "refunds")["after"] == "re_2"
    assert page(bank, "refunds", refund(1), after="re_2")["finished"]
    again = reading(bank, "refunds")
    # The next one begins 35 days before this one did, because refunds change.
    then = bank.row("select extract(epoch from credits.clock() - interval '840 hours')::bigint as at")["at"]
    assert (again["since"], again["after"]) == (then, None)


def test_page_of_another_reader_does_not_move_the_place(bank: Bank) -> None:
    reading(bank, "refunds")
    page(bank, "refunds", refund(3), more=True)
    late = page(bank, "refunds", refund(3), more=True)  # the first page again
    assert not late["finished"]
    assert reading(bank, "refunds")["after"] == "re_3"


def test_later_day_leaves_no_gap(bank: Bank) -> None:
    read(bank, "payouts")
    bank.at("2098-09-01 12:00Z")
    since = reading(bank, "payouts", "2098-08-31")["since"]
    assert since < bank.row("select extract(epoch from timestamptz '2098-06-01 12:00Z')::bigint as at")["at"]


def test_earlier_day_reads_further_back(bank: Bank) -> None:
    read(bank, "payouts")
    since = reading(bank, "payouts", "2026-01-01")["since"]
    assert since == bank.row("select extract(epoch from timestamptz '2026-01-01 00:00Z')::bigint as at")["at"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"object": "charge"},
        {"object": None},
        {"id": None},
        {"id": "x" * 300},
        {"created": "today"},
        {"created": -1},
        {"created": 1e300},
    ],
)
def test_page_that_cannot_be_read_is_refused(bank: Bank, wrong: Row) -> None:
    reading(bank, "refunds")
    with refused("bad_page"):
        page(bank, "refunds", refund(1, **wrong))


def test_list_of_the_other_mode_is_refused(bank: Bank) -> None:
    bank.rows("select credits.accept_stripe_livemode(false)")
    reading(bank, "payouts")
    with refused("wrong_mode"):
        page(bank, "payouts", {"id": "po_1", "object": "payout", "created": 1795200000, "livemode": True})


def test_event_whose_bytes_were_replaced_is_applied_with_them(bank: Bank) -> None:
    order = attached(bank, bank.call("create_order", user_id="nul", pack_id="standard"))
    lost = event(COMPLETED, session(order, customer_details={"name": "A\ufffdB"}))
    raw = json.dumps(lost).replace("\\ufffd", "\\u0000").encode()
    reading(bank, "events")
    page(bank, "events", lost, original=base64.b64encode(raw).decode())
    events, _ = missing(bank)
    assert events == [lost["id"]]
    assert bank.call("replay_from_stripe", event_id=lost["id"])["outcome"] == "granted"
    row = bank.row("select original from credits.stripe_events where event_id = %s", (lost["id"],))
    assert bytes(row["original"]) == raw
    assert missing(bank) == ([], [])
    with refused("unknown_event"):
        bank.call("replay_from_stripe", event_id=lost["id"])


def test_events_that_move_nothing_are_not_missed(bank: Bank) -> None:
    read(bank, "events", event("customer.created", {"id": "cus_1", "object": "customer"}))
    assert missing(bank) == ([], [])


def test_money_that_does_not_match_is_parked_and_no_longer_missing(bank: Bank) -> None:
    order = attached(bank, bank.call("create_order", user_id="odd", pack_id="standard"))
    thing = session(order, amount_subtotal=1, amount_total=1, created=1795200000)
    read(bank, "sessions", thing)
    assert missing(bank) == ([], [thing["id"]])
    assert bank.call("replay_from_stripe", object_id=thing["id"])["outcome"] == "parked"
    assert missing(bank) == ([], [])
    (parked,) = bank.rows("select event_id, parked_reason from audit.parked")
    assert parked["event_id"].startswith(f"pulled:{thing['id']}:")
    bank.call("dismiss_event", event_id=parked["event_id"], reason="another shop of ours")
    assert missing(bank) == ([], [])


def test_paid_invoice_that_was_missed_grants_its_period_once(bank: Bank) -> None:
    for plan in PLANS:
        bank.rows(plan)
    bank.rows("select credits.allow_test_clocks(true)")
    ada = Subscriber(bank, "ada", JULY)
    invoice = ada.invoice(1, line(STARTER, 900, JULY, AUGUST), reason="create", created=1795200000)
    read(bank, "invoices", invoice)
    assert missing(bank) == ([], [invoice["id"]])
    assert bank.call("replay_from_stripe", object_id=invoice["id"])["outcome"] == "granted"
    assert missing(bank) == ([], [])
    before = ada.balance()
    assert before >= 1000
    assert ada.apply(at(PAID, invoice, JULY)) == "duplicate"
    assert ada.balance() == before


@pytest.fixture
def ada(bank: Bank) -> Subscriber:
    for plan in PLANS:
        bank.rows(plan)
    bank.rows("select credits.allow_test_clocks(true)")
    return Subscriber(bank, "ada", JUNE)


def test_credit_of_a_smaller_plan_is_not_missed_as_a_refund(bank: Bank, ada: Subscriber) -> None:
    middle = datetime(2098, 6, 16, 12, tzinfo=UTC)
    smaller = (
        line(PRO, -1450, middle, JULY, proration=True),
        line(STARTER, 450, middle, JULY, proration=True),
    )
    invoices = [
        ada.invoice(1, line(PRO, 2900, JUNE, JULY), reason="create"),
        ada.invoice(2, *smaller, reason="update"),
    ]
    assert ada.apply(at(PAID, invoices[0], JUNE)) == "granted"
    bank.at(middle.isoformat())
    ada.clock(middle)
    assert ada.apply(at(PAID, invoices[1], middle)) == "granted"
    bank.at("2098-06-20 12:00Z")
    read(bank, "invoices", *(one | {"created": int(middle.timestamp())} for one in invoices))
    read(bank, "refunds")
    assert findings(bank) == []
    refunded = refund(1, amount=290, payment_intent=f"pi_in_1_{ada.user_id}", charge=None)
    read(bank, "refunds", refunded | {"created": int(middle.timestamp())})
    assert missing(bank) == ([], ["re_1"])
    assert bank.call("replay_from_stripe", object_id="re_1")["outcome"] == "applied"
    assert ada.balance() == 3000 - 1500 - 300 + 500


def test_invoice_that_the_customers_balance_paid_was_paid(bank: Bank, ada: Subscriber) -> None:
    of = ada.invoice(1, line(STARTER, 900, JUNE, JULY), reason="create", amount_due=200, amount_paid=200)
    of |= {"starting_balance": -700, "created": int(JUNE.timestamp())}
    assert ada.apply(at(PAID, of, JUNE)) == "granted"
    bank.at("2098-06-20 12:00Z")
    read(bank, "invoices", of)
    assert findings(bank) == []
    read(bank, "invoices", of | {"total": 800})
    (found,) = findings(bank)
    assert (found["check_name"], found["found"]) == ("check_stripe", f"invoice {of['id']}: 800 eur")
    read(bank, "invoices", of)


def test_invoice_of_a_purchase_is_not_missed(bank: Bank) -> None:
    with_customer(bank, "buyer")
    invoice = {
        "id": "in_1",
        "object": "invoice",
        "status": "paid",
        "customer": "cus_buyer",
        "amount_paid": 500,
    }
    read(bank, "invoices", invoice | {"created": 1795200000, "parent": None})
    assert missing(bank) == ([], [])


def test_automatic_topup_whose_news_was_lost_is_granted_once(bank: Bank) -> None:
    with_customer(bank, "topped")
    bank.call("add_tokens", user_id="topped", tokens=105)
    agree(bank, "topped")
    bank.call("consume_tokens", user_id="topped", module_id="metube")
    (call,) = claim(bank)
    charged = intent(call, created=1795200000, status="succeeded")
    read(bank, "payment_intents", charged)
    assert missing(bank) == ([], [charged["id"]])
    assert bank.call("replay_from_stripe", object_id=charged["id"])["outcome"] == "granted"
    assert missing(bank) == ([], [])
    balance = bank.row("select balance from api.balance where user_id = 'topped'")["balance"]
    assert bank.call("apply_stripe_event", event=event("payment_intent.succeeded", charged))["outcome"] in (
        "duplicate",
        "stored",
    )
    assert bank.row("select balance from api.balance where user_id = 'topped'")["balance"] == balance
