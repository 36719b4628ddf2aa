"""Every member of an event is left out or given another type: no raw error, and no undue grant."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import psycopg
import pytest
from callers import BOOKS, Caller, Connection
from stripe_events import COMPLETED, EXPIRED, FAILED, FREE, SAYS, SUCCEEDED, Event, attached, event, session

Place = tuple[str, ...]
SQL = Path(__file__).resolve().parents[3] / "sql"
MISSING = object()
ODD = [
    MISSING,
    None,
    "",
    "x",
    "\ufffd",
    "9" * 300,
    0,
    -1,
    0.5,
    10**400,
    True,
    False,
    [],
    ["paid"],
    {},
    {"id": "x"},
]
# Members that a grant does not depend on.
HARMLESS = {
    ("api_version",), ("created",), ("pending_webhooks",), ("request",), ("data", "previous_attributes"),
    ("data", "object", "customer"),
    *(("data", "object", "metadata", name) for name in ("account_id", "user_id", "type", "tokens")),
    ("request", "id"), ("request", "idempotency_key"),
}  # fmt: skip
# Members that may be left out; no others may.
OPTIONAL = {
    ("account",), ("context",),
    *(
        ("data", "object", name)
        for name in ("mode", "status", "livemode", "payment_intent", "amount_total", "total_details")
    ),
    *(("data", "object", "total_details", f"amount_{name}") for name in ("discount", "shipping", "tax")),
}  # fmt: skip


def paths(value: Any, above: Place = ()) -> Iterator[Place]:
    for name, member in value.items():
        yield (*above, name)
        if isinstance(member, dict):
            yield from paths(member, (*above, name))


def changed(told: Event, path: Place, odd: Any) -> Event:
    told = deepcopy(told)
    *above, last = path
    place = told
    for name in above:
        place = place[name]
    if odd is MISSING:
        del place[last]
    else:
        place[last] = odd
    return told


def whole(order: dict[str, Any], kind: str) -> Event:
    told = event(kind, session(order, **SAYS[kind]), account=None, context=None)
    told["data"]["previous_attributes"] = {}
    return told


def says_the_same(path: Place, odd: Any) -> bool:
    """The member may be left out, or the value means the same."""
    return (
        (path in OPTIONAL and (odd is MISSING or odd is None))
        or (path[-1] == "livemode" and odd is False)
        or (path[-2:-1] == ("total_details",) and type(odd) is int and odd == 0)
        or (path[-1] == "total_details" and isinstance(odd, dict))
        or (path[-1] in ("id", "payment_intent") and odd in ("x", {"id": "x"}))
    )


def test_every_member_of_an_event_is_tested() -> None:
    """Each member of the events in these tests is listed as harmless, or with the reason why it matters."""
    matter = {path for path in paths(whole(ORDER, COMPLETED)) if path not in HARMLESS | OPTIONAL}
    assert matter == {
        ("id",), ("object",), ("type",), ("livemode",), ("data",), ("data", "object"),
        *(
            ("data", "object", name)
            for name in (
                "id", "object", "amount_subtotal", "client_reference_id", "currency", "metadata",
                "payment_status",
            )
        ),
        ("data", "object", "metadata", "order_id"),
    }  # fmt: skip


ORDER: dict[str, Any] = {
    "account_id": "a",
    "order_id": "o",
    "user_id": "u",
    "amount": 999,
    "currency": "eur",
}
ALL = list(paths(whole(ORDER, COMPLETED)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [COMPLETED, SUCCEEDED, EXPIRED, FAILED])
@pytest.mark.one_version
def test_odd_members_neither_raise_nor_grant(kind: str, db: Connection) -> None:
    bank = Caller(db, "none")
    outcomes: Counter[str] = Counter()
    due = Decimal(0)
    for place, path in enumerate(ALL):
        for odd in ODD if kind == COMPLETED else ODD[place % 4 :: 4]:
            order = attached(bank, bank.call("create_order", pack_id="basique", user_id=f"user-{place}"))
            told = changed(whole(order, kind), path, odd)
            try:
                outcome = bank.call("apply_stripe_event", event=told)["outcome"]
            except psycopg.Error as error:
                assert error.sqlstate == "PT422", (path, odd, error)
                outcome = json.loads(error.diag.message_detail or "")["error"]
            outcomes[outcome] += 1
            if outcome == "granted":
                due += order["tokens"]
                assert path in HARMLESS or says_the_same(path, odd), (path, odd)
            plain = path[-1] not in ("id", "payment_intent") and says_the_same(path, odd)
            if path in HARMLESS or plain:
                assert outcome == {EXPIRED: "expired", FAILED: "failed"}.get(kind, "granted"), (path, odd)
    bought = bank.row(
        "select coalesce(sum(granted), 0) as tokens from credits.lots where source = 'purchase'"
    )
    assert bought["tokens"] == due
    assert bank.rows(BOOKS) == []
    lost = bank.rows("select event_id from credits.stripe_events where outcome is null")
    assert lost == []
    if kind == COMPLETED:
        assert {"granted", "processing", "parked", "unmatched", "stored", "bad_event"} <= outcomes.keys()


# The text of JSON that the bank wrote itself, or has looked at before.
CAST_FROM_TEXT = {
    "analytics/daily_margin.sql",  # draws of entries
    "analytics/welcome_use.sql",  # the same
    "api/consume_tokens_batch.sql",  # a verdict of credits.spend_many
    "audit/check_prices.sql",  # the answer of credits.module_price
    "credits/explained/calculation.sql",  # what credits.rated_usage has answered
    "credits/holds/holds.sql",  # usages that were priced
}


def test_json_from_outside_is_not_cast_from_its_text() -> None:
    """A text may also say 5, true or a date. So check jsonb_typeof first, and cast the JSON."""
    text_of = r"(?:->>|#>>)"
    cast = re.compile(
        rf"\((?:[^()]|\([^()]*\))*{text_of}(?:[^()]|\([^()]*\))*\)::(?!text|jsonb)"
        rf"|cast\([^()]*{text_of}"
        rf"|(?:numeric|bigint|integer|boolean|timestamptz|interval)(?: not null)? := [^;]*{text_of}",
        re.I,
    )
    found = {str(path.relative_to(SQL)) for path in SQL.rglob("*.sql") if cast.search(path.read_text())}
    assert found == CAST_FROM_TEXT


AMOUNTS = [MISSING, None, 0, 1, 998, 999, 1000, 999.5, -1, "0", "999", True, [0], {}]


@pytest.mark.slow
@pytest.mark.one_version
def test_event_must_plainly_say_the_price_to_grant(db: Connection) -> None:
    """Tries these values for the total, discount and tax of 9.99, paid or free."""
    bank = Caller(db, "none")
    outcomes: Counter[str] = Counter()
    db.execute("begin")
    for number, (free, total, discount, tax) in enumerate(
        product((False, True), AMOUNTS, AMOUNTS, [MISSING, 0, 1, "1", True])
    ):
        order = attached(bank, bank.call("create_order", pack_id="basique", user_id=f"buyer {number}"))
        told = session(order, **FREE if free else {})
        said = {"amount_discount": discount, "amount_tax": tax}
        told |= {"amount_total": total} if total is not MISSING else {}
        told["total_details"] = {name: value for name, value in said.items() if value is not MISSING}
        if total is MISSING:
            del told["amount_total"]
        outcome = bank.call("apply_stripe_event", event=event(COMPLETED, told))["outcome"]
        outcomes[outcome] += 1
        given = [None if value is MISSING else value for value in (total, discount, tax)]
        if outcome != "granted":
            assert outcome == "parked", given
            continue
        assert all(value is None or type(value) is int for value in given), given
        query = "select sum(unit_cost * granted) as cost from credits.lots where order_id = %s"
        cost = bank.row(query, (order["order_id"],))["cost"]
        assert cost == 999 - (given[1] or 0), given
        assert given[0] in (None, cost, cost + (given[2] or 0)), given
        assert cost == 0 or not free, given
    assert bank.rows(BOOKS) == []
    db.execute("rollback")
    # Counted by hand. Paid: 10 for a discount of 0 (said, null, left out), of 1 and of 999, and 9 for one
    # of 998. Free: 6 without tax, 1 with a tax that is part of the price.
    assert outcomes["granted"] == 3 * 10 + 10 + 9 + 10 + 6 + 1
