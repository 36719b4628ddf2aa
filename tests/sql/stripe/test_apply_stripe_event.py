"""Money that arrived is granted exactly once, in any order of Stripe's events; nothing else is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from callers import BOOKS, Caller, Connection, Row, refused
from holding import Bank
from sql.reversals.payments import paid
from stripe_events import (
    COMPLETED,
    EXPIRED,
    FAILED,
    FREE,
    SAYS,
    SUCCEEDED,
    Event,
    Session,
    attached,
    event,
    session,
)

User = Callable[..., Caller]
Apply = Callable[[Event], Row]


@pytest.fixture
def apply(service: Caller) -> Apply:
    return lambda event: service.call("apply_stripe_event", event=event)


@pytest.fixture
def ada(user: User) -> Caller:
    return user()


@pytest.fixture
def order(ada: Caller, service: Caller) -> Row:
    return attached(service, ada.call("create_order", pack_id="standard"))


# One event


def test_paid_session_grants_the_order(ada: Caller, order: Row, apply: Apply) -> None:
    paid = event(COMPLETED, session(order))
    receipt = apply(paid)
    assert receipt.pop("entry_id").endswith(":1")
    assert receipt == {
        "event_id": paid["id"],
        "type": COMPLETED,
        "outcome": "granted",
        "order_id": order["order_id"],
    }
    assert ada.balance() == 500
    lot = ada.row("select source, package_name, granted, priority, expires_at, order_id, scope from api.lots")
    assert lot == {
        "source": "purchase",
        "package_name": "Standard",
        "granted": 500,
        "priority": 50,
        "expires_at": None,
        "order_id": order["order_id"],
        "scope": None,
    }
    kept = ada.row("select state, checkout_session_id, paid_at is not null as timed from api.orders")
    assert kept == {"state": "paid", "checkout_session_id": paid["data"]["object"]["id"], "timed": True}
    entry = ada.row("select kind, tokens, reference from api.entries")
    assert entry == {"kind": "purchase", "tokens": 500, "reference": str(order["order_id"])}
    assert ada.row("select package_name from api.balance")["package_name"] == "Standard"


def test_grant_is_what_was_ordered_whatever_the_metadata_says(ada: Caller, order: Row, apply: Apply) -> None:
    paid = session(order)
    assert paid["metadata"]["tokens"] == "1000000"
    apply(event(COMPLETED, paid))
    assert ada.balance() == 500


def test_grant_remembers_what_a_token_cost(order: Row, apply: Apply, admin: Connection) -> None:
    apply(event(COMPLETED, session(order)))
    query = "select unit_cost, currency from credits.lots where order_id = %s"
    assert admin.execute(query, (order["order_id"],)).fetchall() == [(Decimal("7.998"), "eur")]


def test_order_paid_by_a_promotion_code_is_granted(ada: Caller, order: Row, apply: Apply) -> None:
    free = session(order, **FREE, total_details={"amount_discount": 3999})
    assert free["amount_total"] == 0
    assert apply(event(COMPLETED, free))["outcome"] == "granted"
    assert ada.balance() == 500


@pytest.mark.parametrize(
    ("details", "total"),
    [
        ({"amount_tax": 760}, 3999 + 760),
        ({"amount_tax": 638}, 3999),
        ({"amount_discount": 1000, "amount_tax": 570, "amount_shipping": 0}, 2999 + 570),
        ({"amount_discount": 1000, "amount_tax": 479}, 2999),
        ({"amount_discount": 1000, "amount_tax": 479, "amount_shipping": 500}, 3499),
        ({"amount_discount": 1000, "amount_tax": 570, "amount_shipping": 500}, 3499 + 570),
        # Shipping is taxed on top, the price has its tax in it; and the other way round.
        ({"amount_tax": 738, "amount_shipping": 500}, 4499 + 100),
        ({"amount_tax": 860, "amount_shipping": 500}, 4499 + 760),
    ],
    ids=str,
)
def test_tax_comes_on_top_of_the_price_or_is_part_of_it(
    details: Row, total: int, ada: Caller, order: Row, apply: Apply, admin: Connection
) -> None:
    """Neither tax nor shipping makes a token cost more."""
    told = session(order, total_details=details, amount_total=total)
    assert apply(event(COMPLETED, told))["outcome"] == "granted"
    assert ada.balance() == 500
    query = "select unit_cost * granted from credits.lots where order_id = %s"
    cost = 3999 - details.get("amount_discount", 0)
    assert admin.execute(query, (order["order_id"],)).fetchall() == [(cost,)]


def test_module_of_the_order_binds_the_tokens(ada: Caller, service: Caller, apply: Apply) -> None:
    order = attached(service, ada.call("create_order", pack_id="standard", module_id="whisper"))
    apply(event(COMPLETED, session(order)))
    assert ada.row("select scope from api.lots")["scope"] == "module:whisper"
    with refused("insufficient_tokens"):
        ada.call("consume_tokens", module_id="stablediffusion")
    assert ada.call("consume_tokens", module_id="whisper")["balance"] == 475


@pytest.mark.parametrize(
    ("kind", "payment_status", "outcome", "state"),
    [
        (COMPLETED, "unpaid", "processing", "processing"),
        (FAILED, "unpaid", "failed", "failed"),
        (EXPIRED, "unpaid", "expired", "expired"),
        (SUCCEEDED, "paid", "granted", "paid"),
    ],
)
def test_each_event_moves_the_order(
    kind: str, payment_status: str, outcome: str, state: str, ada: Caller, order: Row, apply: Apply
) -> None:
    receipt = apply(event(kind, session(order, **SAYS[kind] | {"payment_status": payment_status})))
    assert (receipt["outcome"], receipt["order_id"]) == (outcome, order["order_id"])
    assert ada.row("select state from api.orders")["state"] == state
    assert ada.balance() == (500 if outcome == "granted" else 0)


# More than one


def test_event_that_comes_twice_counts_once(ada: Caller, order: Row, apply: Apply) -> None:
    paid = event(COMPLETED, session(order))
    apply(paid)
    again = apply(paid)
    assert (again["outcome"], again["order_id"], again["entry_id"]) == ("duplicate", order["order_id"], None)
    assert ada.balance() == 500


def test_session_that_two_events_tell_of_counts_once(ada: Caller, order: Row, apply: Apply) -> None:
    paid = session(order)
    outcomes = [apply(event(kind, paid))["outcome"] for kind in (COMPLETED, COMPLETED, SUCCEEDED)]
    assert outcomes == ["granted", "duplicate", "duplicate"]
    assert ada.balance() == 500


NEWS = {
    "unpaid": (COMPLETED, "unpaid"),
    "succeeded": (SUCCEEDED, "paid"),
    "failed": (FAILED, "unpaid"),
    "expired": (EXPIRED, "unpaid"),
    "paid": (COMPLETED, "paid"),
}
MONEY = {"succeeded", "paid"}
ORDERS = [names for length in (1, 2, 3, 5) for names in permutations(NEWS, length)]


@pytest.mark.one_version
def test_events_in_any_order_grant_the_money_once(user: User, service: Caller, apply: Apply) -> None:
    """Try every order of one, two, three and five of the events."""
    ada = user()
    for names in ORDERS:
        order = attached(service, ada.call("create_order", pack_id="basique"))
        told = session(order)
        outcomes = [
            apply(event(kind, told | SAYS[kind] | {"payment_status": status}))["outcome"]
            for kind, status in (NEWS[name] for name in names)
        ]
        state = ada.row("select state from api.orders where order_id = %s", (order["order_id"],))["state"]
        lots = ada.row(
            "select count(*), coalesce(sum(granted), 0) as tokens from api.lots where order_id = %s",
            (order["order_id"],),
        )
        if MONEY & set(names):
            assert (state, lots) == ("paid", {"count": 1, "tokens": 100}), names
            granted_at = outcomes.index("granted")
            assert names[granted_at] == next(name for name in names if name in MONEY), names
            assert set(outcomes[granted_at + 1 :]) <= {"duplicate"}, names
        else:
            assert (state in {"failed", "expired", "processing"}, lots["count"]) == (True, 0), names
            assert not {"granted", "parked"} & set(outcomes), names


def test_failure_told_before_the_beginning_stays(ada: Caller, order: Row, apply: Apply) -> None:
    told = session(order, payment_status="unpaid")
    assert apply(event(FAILED, told))["outcome"] == "failed"
    assert apply(event(COMPLETED, told))["outcome"] == "duplicate"
    assert ada.row("select state from api.orders")["state"] == "failed"


# Money that does not match the order


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"currency": "usd"}, "currency usd, ordered in eur"),
        (
            {
                "currency": "usd",
                "amount_subtotal": 4512,
                "amount_total": 4512,
                "currency_conversion": {
                    "amount_subtotal": 3999,
                    "amount_total": 3999,
                    "fx_rate": "1.1282",
                    "source_currency": "eur",
                },
            },
            "currency usd, ordered in eur, converted from 3999 eur",
        ),
        ({"currency": "usd", "currency_conversion": "eur"}, "currency usd, ordered in eur"),
        ({"currency": None}, "currency"),
        ({"amount_subtotal": 3998}, "subtotal 3998"),
        ({"amount_subtotal": 4000}, "subtotal 4000"),
        ({"amount_subtotal": "3999"}, "subtotal 3999"),
        ({"amount_subtotal": None}, "subtotal"),
    ],
    ids=str,
)
def test_payment_of_another_amount_is_parked(
    changes: Row, reason: str, ada: Caller, order: Row, apply: Apply, admin: Connection
) -> None:
    wrong = event(COMPLETED, session(order, **changes))
    assert apply(wrong)["outcome"] == "parked"
    assert ada.balance() == 0
    parked = admin.execute(
        "select order_state, parked_reason from audit.parked where event_id = %s", (wrong["id"],)
    ).fetchone()
    assert parked is not None
    assert (parked[0], parked[1].startswith(reason)) == ("parked", True)


def test_money_on_another_session_is_parked(ada: Caller, order: Row, apply: Apply, admin: Connection) -> None:
    stray = event(COMPLETED, _stray(order))
    assert apply(stray)["outcome"] == "parked"
    assert ada.balance() == 0
    assert ada.row("select state from api.orders")["state"] == "pending"
    assert _is_reported(admin, stray)


@pytest.mark.parametrize("status", [None, "missing", "unpaid"], ids=str)
def test_session_grants_only_when_it_says_paid(
    status: str | None, ada: Caller, order: Row, apply: Apply, admin: Connection
) -> None:
    """They count as "unpaid". If the type of the event says otherwise, a person decides."""
    told = session(order, payment_status=status)
    if status == "missing":
        del told["payment_status"]
    assert apply(event(COMPLETED, told))["outcome"] == "processing"
    assert ada.row("select state from api.orders")["state"] == "processing"
    succeeded = event(SUCCEEDED, told)
    assert apply(succeeded)["outcome"] == "parked"
    assert _is_reported(admin, succeeded)
    assert ada.balance() == 0
    assert apply(event(SUCCEEDED, told | {"payment_status": "paid"}))["outcome"] == "granted"
    assert not _is_reported(admin, succeeded), "it is dealt with"
    assert ada.balance() == 500


ODD_STATUS = ["", "PAID", "paid ", "open", True, False, 1, ["paid"], {"paid": True}]
CONTRADICTIONS: list[tuple[str, Row, str]] = [
    *((kind, {"payment_status": odd}, f"{kind} with payment_status ") for kind in SAYS for odd in ODD_STATUS),
    (SUCCEEDED, {"payment_status": "unpaid"}, f"{SUCCEEDED} with payment_status unpaid"),
    (SUCCEEDED, {"payment_status": None}, f"{SUCCEEDED} with payment_status "),
    (SUCCEEDED, FREE, f"{SUCCEEDED} with payment_status no_payment_required"),
    (FAILED, {"payment_status": "paid"}, f"{FAILED} with payment_status paid"),
    (FAILED, FREE, f"{FAILED} with payment_status no_payment_required"),
    (EXPIRED, {"payment_status": "paid"}, f"{EXPIRED} with payment_status paid"),
    *((kind, {"status": "open"}, f"status open in {kind}") for kind in SAYS),
    *((kind, {"status": "expired"}, f"status expired in {kind}") for kind in SAYS if kind != EXPIRED),
    (COMPLETED, {"status": "expired", "payment_status": "unpaid"}, f"status expired in {COMPLETED}"),
    (EXPIRED, {"status": "complete"}, f"status complete in {EXPIRED}"),
    *((kind, {"status": odd}, "status ") for kind in SAYS for odd in ("", True, 0, ["complete"], {})),
    *((kind, {"livemode": odd}, "livemode ") for kind in SAYS for odd in (True, "false", 0, [False])),
    *((kind, {"mode": odd}, "mode ") for kind in SAYS for odd in ("setup", "", ["payment"], True)),
    *((kind, {"payment_intent": odd}, "a payment intent") for kind in SAYS for odd in (7, "", [], True)),
]


def test_contradictory_event_is_parked_and_not_obeyed(
    ada: Caller, service: Caller, apply: Apply, admin: Connection
) -> None:
    """Such an event neither grants nor ends the order: the order's money may have come."""
    for kind, changes, reason in CONTRADICTIONS:
        order = attached(service, ada.call("create_order", pack_id="basique"))
        odd = event(kind, session(order, **SAYS[kind] | changes))
        assert apply(odd)["outcome"] == "parked", (kind, changes)
        (parked,) = admin.execute(
            "select order_state, parked_reason from audit.parked where event_id = %s", (odd["id"],)
        )
        assert (parked[0], parked[1].startswith(reason)) == ("parked", True), (kind, changes, parked)
    assert ada.balance() == 0
    assert len(CONTRADICTIONS) > 100


def test_plain_event_pays_an_order_after_a_contradictory_one(
    ada: Caller, order: Row, apply: Apply, admin: Connection
) -> None:
    odd = event(EXPIRED, session(order, status="expired", payment_status="paid"))
    assert [apply(odd)["outcome"], apply(odd)["outcome"]] == ["parked", "duplicate"]
    assert apply(event(COMPLETED, session(order)))["outcome"] == "granted"
    assert ada.balance() == 500
    assert not _is_reported(admin, odd), "it is dealt with"
    assert apply(event(EXPIRED, odd["data"]["object"]))["outcome"] == "duplicate"


@pytest.mark.parametrize("status", ["unpaid", "no_payment_required", None], ids=str)
def test_unpaid_session_that_expires_ends_its_order(status: str | None, order: Row, apply: Apply) -> None:
    told = session(order, **SAYS[EXPIRED] | {"payment_status": status})
    assert apply(event(EXPIRED, told))["outcome"] == "expired"


@pytest.mark.parametrize("status", ["unpaid", None], ids=str)
def test_expired_session_ends_an_order_without_payment_news(
    status: str | None, ada: Caller, order: Row, apply: Apply
) -> None:
    told = session(order, payment_status=status)
    assert apply(event(COMPLETED, told))["outcome"] == "processing"
    assert apply(event(EXPIRED, told | SAYS[EXPIRED]))["outcome"] == "expired"
    assert ada.row("select state from api.orders")["state"] == "expired"
    assert apply(event(COMPLETED, session(order)))["outcome"] == "granted"  # money is money


def brief(value: Any) -> str:
    """The id of a test: some numbers here have 400 digits."""
    return str(value)[:80]


# Neither a number of cents nor absent.
ODD_AMOUNTS = ["", "500", "0", -1, 5.5, 10**12, 10**400, True, False, [], [500], {}, {"amount": 500}]

DISCOUNTS = [
    ("missing", 0),
    (None, 0),
    ({}, 0),
    ({"amount_discount": None}, 0),
    ({"amount_discount": 0}, 0),
    ({"amount_discount": 100}, 100),
    ({"amount_discount": 100.0}, 100),
    ({"amount_discount": 1900}, 1900),
    ({"amount_shipping": 0, "amount_tax": None}, 0),
]


@pytest.mark.parametrize("total", ["said", None, "missing"])
@pytest.mark.parametrize(("details", "discount"), DISCOUNTS, ids=str)
def test_token_cost_counts_only_a_named_discount(
    details: Any, discount: int, total: str | None, db: Connection
) -> None:
    db.execute("select credits.define_pack('hundred', 'Hundred', 100, 1900, 'eur')")
    bank = Caller(db, "none")
    order = attached(bank, bank.call("create_order", pack_id="hundred", user_id="ada"))
    told = session(order, total_details=details)
    assert told["amount_total"] == 1900 - discount
    if total is None:
        told["amount_total"] = None
    for name, given in (("total_details", details), ("amount_total", total)):
        if given == "missing":
            del told[name]
    assert bank.call("apply_stripe_event", event=event(COMPLETED, told))["outcome"] == "granted"
    (lot,) = bank.rows("select unit_cost from credits.lots where source = 'purchase'")
    assert lot["unit_cost"] == Decimal(1900 - discount) / 100
    assert bank.rows(BOOKS) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mode": "setup", "payment_status": "no_payment_required"}, "mode setup"),
        # The event says that nothing was paid, but not that a discount covers the price.
        (FREE, "no payment required, of a total of 3999"),
        (FREE | {"total_details": None}, "no payment required, of a total of 3999"),
        (FREE | {"amount_total": None, "total_details": None}, "no payment required, of a total of 3999"),
        (FREE | {"amount_total": 0}, "a total of 0: ordered for 3999, discount 0, tax 0, shipping 0"),
        (FREE | {"amount_total": 0, "total_details": None}, "a total of 0: "),
        (FREE | {"total_details": {"amount_discount": 3998}}, "no payment required, of a total of 1"),
        (
            FREE | {"total_details": {"amount_discount": 3999, "amount_tax": 1}},
            "no payment required, of a total of 1",
        ),
        # The total differs from the sum of the parts.
        ({"amount_total": 1}, "a total of 1: ordered for 3999"),
        ({"amount_total": 0}, "a total of 0: "),
        ({"amount_total": 3998}, "a total of 3998: "),
        ({"amount_total": 4759}, "a total of 4759: "),
        ({"amount_total": 2999, "total_details": None}, "a total of 2999: "),
        ({"amount_total": 3999, "total_details": {"amount_discount": 1000}}, "a total of 3999: "),
        ({"amount_total": 4000, "total_details": {"amount_tax": 638}}, "a total of 4000: "),
        ({"amount_total": 3999, "total_details": {"amount_shipping": 500}}, "a total of 3999: "),
        (
            {"amount_total": 4498, "total_details": {"amount_shipping": 500, "amount_tax": 100}},
            "a total of 4498: ",
        ),
        (
            {"amount_total": 4600, "total_details": {"amount_shipping": 500, "amount_tax": 100}},
            "a total of 4600: ",
        ),
        *(({"amount_total": odd}, "amount_total ") for odd in ODD_AMOUNTS),
        *(({"total_details": {"amount_discount": odd}}, "a discount of ") for odd in ODD_AMOUNTS),
        *(({"total_details": {"amount_tax": odd}}, "amount_tax ") for odd in ODD_AMOUNTS),
        *(({"total_details": {"amount_shipping": odd}}, "amount_shipping ") for odd in ODD_AMOUNTS),
        *(
            ({"total_details": odd}, "total_details ")
            for odd in ([], [{"amount_discount": 1}], "none", 7, True)
        ),
        ({"mode": "subscription"}, "mode subscription"),
        ({"mode": ["payment"]}, "mode"),
        ({"total_details": {"amount_discount": 999999}}, "a discount of 999999 on"),
        ({"total_details": {"amount_discount": -1}}, "a discount of -1 on"),
        ({"status": "open"}, "status open"),
        ({"status": "expired"}, "status expired"),
        ({"livemode": True}, "livemode true"),
        ({"livemode": "false"}, "livemode false"),
        ({"currency": ["eur"]}, "currency"),
        ({"currency": "EUR"}, "currency EUR"),
        ({"amount_subtotal": [3999]}, "subtotal"),
        ({"amount_subtotal": 3999.5}, "subtotal 3999.5"),
        ({"payment_intent": 7}, "a payment intent without an id"),
        ({"payment_intent": ["pi_1"]}, "a payment intent without an id"),
        ({"payment_intent": {"object": "payment_intent"}}, "a payment intent without an id"),
        ({"payment_intent": ""}, "a payment intent without an id"),
        ({"payment_intent": "pi_\ufffd"}, "a payment intent without an id"),
        ({"payment_intent": "p" * 256}, "a payment intent without an id"),
    ],
    ids=brief,
)
def test_payment_that_differs_from_the_order_is_parked(
    changes: Row, reason: str, ada: Caller, order: Row, apply: Apply, admin: Connection
) -> None:
    wrong = event(COMPLETED, session(order, **changes))
    assert apply(wrong)["outcome"] == "parked"
    assert ada.balance() == 0
    (parked,) = admin.execute("select parked_reason from audit.parked where event_id = %s", (wrong["id"],))
    assert parked[0].startswith(reason)


@pytest.mark.parametrize(
    "left_out", ["mode", "status", "livemode", "customer", "payment_intent", "amount_total"]
)
def test_fields_that_older_events_lack_are_not_required(
    left_out: str, ada: Caller, order: Row, apply: Apply
) -> None:
    told = session(order)
    del told[left_out]
    assert apply(event(COMPLETED, told))["outcome"] == "granted"
    assert ada.balance() == 500


def test_expanded_payment_intent_is_the_same_one(
    ada: Caller, service: Caller, order: Row, apply: Apply, admin: Connection
) -> None:
    paid = session(order)
    expanded = paid | {"payment_intent": {"id": paid["payment_intent"], "object": "payment_intent"}}
    assert apply(event(COMPLETED, expanded))["outcome"] == "granted"
    kept = admin.execute(
        "select payment_intent_id from credits.orders where order_id = %s", (order["order_id"],)
    )
    assert kept.fetchone() == (paid["payment_intent"],)
    second = attached(service, ada.call("create_order", pack_id="standard"))
    again = session(second, payment_intent=paid["payment_intent"])
    assert apply(event(COMPLETED, again))["outcome"] == "parked"


def test_second_payment_of_a_paid_order_is_parked(
    ada: Caller, order: Row, apply: Apply, admin: Connection
) -> None:
    apply(event(COMPLETED, session(order)))
    second = event(COMPLETED, _stray(order))
    assert apply(second)["outcome"] == "parked"
    assert ada.balance() == 500
    assert _is_reported(admin, second)


def test_the_right_money_after_a_wrong_payment_is_granted(
    ada: Caller, order: Row, apply: Apply, admin: Connection
) -> None:
    """A payment on a stray session; then the order's own session is paid as well."""
    stray, right = event(COMPLETED, _stray(order)), event(COMPLETED, session(order))
    assert [apply(stray)["outcome"], apply(right)["outcome"]] == ["parked", "granted"]
    assert ada.balance() == 500
    assert (_is_reported(admin, stray), _is_reported(admin, right)) == (True, False)


def test_second_wrong_payment_is_parked_too(order: Row, apply: Apply, admin: Connection) -> None:
    first = event(COMPLETED, session(order, currency="usd"))
    second = event(COMPLETED, _stray(order, currency="usd"))
    apply(first)
    apply(second)
    assert _is_reported(admin, first)
    assert _is_reported(admin, second), "a second payment, of another session, is shown to nobody"


def test_parked_money_is_reported_once(order: Row, apply: Apply, admin: Connection) -> None:
    wrong = session(order, currency="usd")
    first, again = event(COMPLETED, wrong), event(SUCCEEDED, wrong)
    assert [apply(first)["outcome"], apply(again)["outcome"]] == ["parked", "duplicate"]
    assert [apply(first)["outcome"], apply(again)["outcome"]] == ["duplicate", "duplicate"]
    assert (_is_reported(admin, first), _is_reported(admin, again)) == (True, False)


def test_payment_intent_of_another_order_is_parked(ada: Caller, service: Caller, apply: Apply) -> None:
    first, second = (attached(service, ada.call("create_order", pack_id="standard")) for _ in range(2))
    paid = session(first)
    apply(event(COMPLETED, paid))
    outcome = apply(event(COMPLETED, session(second, payment_intent=paid["payment_intent"])))["outcome"]
    assert (outcome, ada.balance()) == ("parked", 500)


def test_events_of_a_stray_session_do_not_move_the_order(ada: Caller, order: Row, apply: Apply) -> None:
    for kind in (EXPIRED, FAILED, COMPLETED):
        told = _stray(order, **SAYS[kind] | {"payment_status": "unpaid"})
        assert apply(event(kind, told))["outcome"] == "duplicate"
    assert ada.row("select state from api.orders")["state"] == "pending"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_reference_id": None},
        {"client_reference_id": "user_2ab"},
        {"client_reference_id": ["order"]},
        {"metadata": {}},
        {"metadata": None},
        {"metadata": "order_id"},
        {"metadata": ["order_id"]},
        {"metadata": {"order_id": "ord_01"}},
        {"metadata": {"order_id": {"id": 1}}},
        {"object": "invoice"},
        {"object": None},
    ],
    ids=str,
)
def test_session_that_names_no_order_is_unmatched_and_reported(
    changes: Row, ada: Caller, order: Row, apply: Apply, admin: Connection
) -> None:
    stray = event(COMPLETED, session(order, **changes))
    receipt = apply(stray)
    assert (receipt["outcome"], receipt["order_id"]) == ("unmatched", None)
    assert apply(stray)["outcome"] == "duplicate"
    assert ada.balance() == 0
    assert _is_reported(admin, stray)


@pytest.mark.parametrize(
    "changes",
    [{"client_reference_id": str(uuid4())}, {"metadata": {"order_id": str(uuid4())}}],
    ids=["account", "order"],
)
def test_session_of_an_unknown_order_waits_and_is_reported(
    changes: Row, ada: Caller, order: Row, apply: Apply, admin: Connection
) -> None:
    early = event(COMPLETED, session(order, **changes))
    for _ in range(2):
        receipt = apply(early)
        assert (receipt["outcome"], receipt["order_id"]) == ("waiting", None)
    assert ada.balance() == 0
    assert _is_reported(admin, early)


def test_event_does_not_pay_another_accounts_order(order: Row, user: User, apply: Apply) -> None:
    other = user().call("create_order", pack_id="standard")
    stray = session(order, client_reference_id=str(other["account_id"]))
    assert apply(event(COMPLETED, stray))["outcome"] == "waiting"


# Events that the bank does not act on


@pytest.mark.parametrize(
    "kind",
    ["payment_intent.created", "charge.succeeded", "invoice.created", "customer.created", "no.such.type"],
)
def test_other_types_are_stored_once(kind: str, order: Row, ada: Caller, apply: Apply) -> None:
    other = event(kind, session(order))
    assert apply(other) == {
        "event_id": other["id"],
        "type": kind,
        "outcome": "stored",
        "order_id": None,
        "entry_id": None,
    }
    assert apply(other)["outcome"] == "duplicate"
    assert ada.balance() == 0


def test_event_is_kept_as_it_came(order: Row, apply: Apply, admin: Connection) -> None:
    paid = event(COMPLETED, session(order))
    apply(paid)
    row = admin.execute(
        "select type, object_id, livemode, outcome, order_id, payload from credits.stripe_events"
        " where event_id = %s",
        (paid["id"],),
    ).fetchone()
    assert row == (COMPLETED, paid["data"]["object"]["id"], False, "granted", order["order_id"], paid)


WHOLE = event("customer.created", {"id": "cus_1", "object": "customer"})


@pytest.mark.parametrize(
    "malformed",
    [
        None,
        "null",
        "[]",
        "5",
        '"evt_1"',
        "{}",
        WHOLE | {"object": "charge"},
        WHOLE | {"id": None},
        WHOLE | {"id": ""},
        WHOLE | {"id": "e" * 256},
        WHOLE | {"id": 7},
        WHOLE | {"id": ["evt_1"]},
        WHOLE | {"id": {"id": "evt_1"}},
        WHOLE | {"id": "evt_\ufffd"},
        WHOLE | {"type": ["customer.created"]},
        WHOLE | {"object": ["event"]},
        WHOLE | {"type": None},
        WHOLE | {"data": None},
        WHOLE | {"data": {}},
        WHOLE | {"data": {"object": []}},
        WHOLE | {"data": []},
        *(
            {key: value for key, value in WHOLE.items() if key != left_out}
            for left_out in ("object", "id", "type")
        ),
        {key: value for key, value in WHOLE.items() if key != "data"},
    ],
    ids=lambda malformed: re.sub(r"_[0-9a-f]{32}", "", json.dumps(malformed))[:60],
)
def test_only_stripe_events_are_accepted(malformed: Any, apply: Apply) -> None:
    with refused("bad_event"):
        apply(malformed)


@pytest.mark.parametrize("member", ["account", "context"])
def test_events_of_unaccepted_connected_accounts_are_refused(member: str, db: Connection) -> None:
    bank = Caller(db, "none")
    order = attached(bank, bank.call("create_order", pack_id="basique", user_id="ada"))
    paid = session(order)

    def tell(account: Any) -> str:
        told = event(COMPLETED, paid, **{member: account})
        try:
            return str(bank.call("apply_stripe_event", event=told)["outcome"])
        except psycopg.Error as error:
            return str(json.loads(error.diag.message_detail or "")["error"])

    odd = ["acct_1", "", 7, True, ["acct_1"], {"id": "acct_1"}]
    assert {tell(account) for account in odd} == {"foreign_account"}
    db.execute("select credits.accept_stripe_accounts(array['acct_2', 'acct_1'])")
    assert {tell(account) for account in ["acct_3", "acct_1 ", *odd[1:]]} == {"foreign_account"}
    assert tell("acct_1") == "granted"
    assert tell(None) == "duplicate"
    db.execute("delete from credits.settings")
    assert (tell("acct_1"), tell(None)) == ("foreign_account", "duplicate")


@pytest.mark.parametrize("accepted", [True, False, None])
def test_events_of_the_other_mode_are_refused_once_a_mode_is_set(
    accepted: bool | None, db: Connection
) -> None:
    bank = Caller(db, "none")
    if accepted is not None:  # somebody has said
        db.execute("select credits.accept_stripe_livemode(%s)", (accepted,))
    for livemode in (True, False):
        told = event("customer.created", {"id": "cus_1"}, livemode=livemode)
        if accepted in (None, livemode):
            assert bank.call("apply_stripe_event", event=told)["outcome"] == "stored"
        else:
            with refused("wrong_mode"):
                bank.call("apply_stripe_event", event=told)


def test_live_bank_does_not_go_back_to_test_mode(db: Connection) -> None:
    def accept(livemode: bool | None) -> None:
        db.execute("select credits.accept_stripe_livemode(%s)", (livemode,))

    for livemode in (False, True, False, True):  # nothing has been paid yet
        accept(livemode)
    told = event("customer.created", {"id": "cus_1"}, livemode=True)
    assert Caller(db, "none").call("apply_stripe_event", event=told)["outcome"] == "stored"
    for livemode in (False, None):
        with refused("wrong_mode"):
            accept(livemode)
    accept(True)
    assert db.execute("select s.stripe_livemode from credits.settings as s").fetchone() == (True,)


def test_bank_with_purchases_of_test_mode_does_not_become_live(bank: Bank) -> None:
    payment = paid(bank)
    with refused("wrong_mode"):
        bank.rows("select credits.accept_stripe_livemode(true)")
    bank.rows("select credits.accept_stripe_livemode(false)")
    payment.refund(payment.order["amount"])
    with refused("wrong_mode"):  # other tokens of the account may be left
        bank.rows("select credits.accept_stripe_livemode(true)")


def test_bank_that_has_events_of_real_money_stays_live(bank: Bank) -> None:
    paid(bank)
    told = event("customer.created", {"id": "cus_1"}, livemode=True)
    assert bank.call("apply_stripe_event", event=told)["outcome"] == "stored"
    bank.rows("select credits.accept_stripe_livemode(true)")


def test_mode_of_a_bank_cannot_be_unset(db: Connection) -> None:
    with refused("wrong_mode"):
        db.execute("select credits.accept_stripe_livemode(null)")


@pytest.mark.parametrize("livemode", [None, "missing", "yes"], ids=str)
def test_event_without_a_mode_is_refused_or_stored(livemode: str | None, apply: Apply) -> None:
    """The answer is a slug or an outcome, never an error of the table."""
    odd = event("customer.created", {"id": "cus_1"}, livemode=livemode)
    if livemode == "missing":
        del odd["livemode"]
    try:
        assert apply(odd)["outcome"] == "stored"
    except psycopg.Error as error:
        assert error.sqlstate == "PT422", error


@pytest.mark.parametrize(
    "session_id", [None, "cs_" + "".join(uuid4().hex for _ in range(400))], ids=["null", "12 kB"]
)
def test_session_without_a_sane_id_grants_nothing(
    session_id: str | None, ada: Caller, order: Row, apply: Apply
) -> None:
    """A payment without an id cannot be told from another, so it cannot be granted exactly once."""
    try:
        assert apply(event(COMPLETED, session(order, id=session_id)))["outcome"] in ("unmatched", "parked")
    except psycopg.Error as error:
        assert error.sqlstate == "PT422", error
    assert ada.balance() == 0


@pytest.mark.parametrize("kind", ["customer.created", COMPLETED])
@pytest.mark.parametrize(
    "odd_id", [None, 7, [], {}, "", "cs_\ufffd", "x" * 100_000], ids=lambda odd: str(odd)[:9]
)
def test_event_about_an_object_without_a_sane_id_is_kept(
    kind: str, odd_id: Any, ada: Caller, order: Row, apply: Apply, admin: Connection
) -> None:
    odd = event(kind, session(order, id=odd_id))
    assert apply(odd)["outcome"] == ("parked" if kind == COMPLETED else "stored")
    assert _is_reported(admin, odd) == (kind == COMPLETED)
    assert ada.balance() == 0


# Packs with a bonus, an expiry or a scope


def test_bonus_and_expiry_of_a_pack_come_as_lots(db: Connection) -> None:
    db.execute(
        "select credits.define_pack('gift', 'Gift', 100, 500, 'eur', p_bonus_tokens => 20,"
        " p_expires_after => '30 days')"
    )
    bank = Caller(db, "none")
    order = attached(bank, bank.call("create_order", pack_id="gift", user_id="ada", module_id="whisper"))
    assert bank.call("apply_stripe_event", event=event(COMPLETED, session(order)))["outcome"] == "granted"
    lots = bank.rows(
        "select l.source::text, l.granted, l.priority, l.scope, l.unit_cost,"
        " l.expires_at = o.paid_at + interval '30 days' as dated"
        " from credits.lots as l join credits.orders as o using (account_id, order_id) order by l.lot_id"
    )
    common = {"priority": 50, "scope": "module:whisper", "dated": True}
    assert lots == [
        common | {"source": "purchase", "granted": 100, "unit_cost": 5},
        common | {"source": "bonus", "granted": 20, "unit_cost": 0},
    ]
    # Given tokens are spent before paid ones.
    spent = bank.call("consume_tokens", module_id="whisper", user_id="ada")
    assert spent["draws"] == [{"lot_id": 2, "tokens": 20}, {"lot_id": 1, "tokens": 5}]
    assert bank.rows(BOOKS) == []


def test_frozen_and_closed_accounts_get_what_they_paid_for(
    ada: Caller, service: Caller, apply: Apply, admin: Connection
) -> None:
    for status, balance in (("frozen", 500), ("closed", 1000)):
        admin.execute("update credits.wallets set status = 'active' where account_id = " + _account(ada))
        order = attached(service, ada.call("create_order", pack_id="standard"))
        admin.execute(f"update credits.wallets set status = '{status}' where account_id = " + _account(ada))
        assert apply(event(COMPLETED, session(order)))["outcome"] == "granted"
        assert ada.balance() == balance


def _account(caller: Caller) -> str:
    return f"(select account_id from credits.identities where subject = '{caller.user_id}')"


def _stray(order: Row, **changes: Any) -> Session:
    """A session that names the order, but was not opened for it."""
    return session(order, **{"id": f"cs_stray_{uuid4().hex}"} | changes)


def _is_reported(admin: Connection, applied: Event) -> bool:
    query = "select 1 from audit.parked where event_id = %s"
    return admin.execute(query, (applied["id"],)).fetchone() is not None
