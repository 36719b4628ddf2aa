"""Events wait if they come before their order is visible, or before its session is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from callers import Caller, Connection, Row, at_once, slugs
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from stripe_events import COMPLETED, EXPIRED, FAILED, SAYS, SUCCEEDED, Event, attached, event, session

User = Callable[..., Caller]
Crowd = Callable[[int], list[Caller]]


@pytest.fixture
def ada(user: User) -> Caller:
    return user()


@pytest.fixture
def slow(crowd: Crowd) -> Iterator[Connection]:
    """A service's session in a transaction that is open."""
    (caller,) = crowd(1)
    caller.connection.execute("begin")
    caller.connection.execute("set local role service_role")
    yield caller.connection
    if not caller.connection.closed:
        caller.connection.execute("rollback")


def ask(connection: Connection, query: str, *values: Any) -> Row:
    row = connection.cursor(row_factory=dict_row).execute(query.encode(), values).fetchone()
    assert row is not None
    return dict(row)


def order_unseen(slow: Connection, ada: Caller, attach: bool = True) -> Row:
    """An order that only the open transaction can see."""
    order = ask(slow, "select * from api.create_order(pack_id => 'basique', user_id => %s)", ada.user_id)
    if attach:
        call = "select * from api.attach_checkout(%s, %s, %s)"
        order = ask(slow, call, order["account_id"], order["order_id"], f"cs_{uuid4().hex}")
    return order


def apply(service: Caller, told: Event) -> str:
    return str(service.call("apply_stripe_event", event=told)["outcome"])


def reported(admin: Connection, told: Event) -> str | None:
    """The reason why a person should look at the event."""
    row = admin.execute(
        "select parked_reason from audit.parked where event_id = %s", (told["id"],)
    ).fetchone()
    return None if row is None else str(row[0])


def test_payment_before_its_order_is_granted_when_repeated(
    ada: Caller, slow: Connection, service: Caller, admin: Connection
) -> None:
    paid = event(COMPLETED, session(order_unseen(slow, ada)))
    assert apply(service, paid) == "waiting"
    assert reported(admin, paid) == "its order is not there yet"
    slow.execute("commit")
    assert apply(service, paid) == "granted"
    assert apply(service, paid) == "duplicate"
    assert ada.balance() == 100
    assert reported(admin, paid) is None


def test_maintenance_grants_what_waited(
    ada: Caller, slow: Connection, service: Caller, admin: Connection
) -> None:
    paid = event(COMPLETED, session(order_unseen(slow, ada)))
    assert apply(service, paid) == "waiting"
    assert service.call("maintain")["events"] == 0
    assert ada.balance() == 0
    slow.execute("commit")
    assert service.call("maintain")["events"] == 1
    assert service.call("maintain")["events"] == 0
    assert ada.balance() == 100
    assert reported(admin, paid) is None


def test_another_event_of_the_order_ends_the_waiting_of_the_first(
    ada: Caller, slow: Connection, service: Caller, admin: Connection
) -> None:
    told = session(order_unseen(slow, ada))
    first = event(COMPLETED, told)
    assert apply(service, first) == "waiting"
    slow.execute("commit")
    assert apply(service, event(SUCCEEDED, told)) == "granted"
    assert reported(admin, first) is None
    assert apply(service, first) == "duplicate"
    assert ada.balance() == 100


def test_money_that_waited_is_granted_by_any_other_event_of_its_order(
    ada: Caller, slow: Connection, service: Caller
) -> None:
    told = session(order_unseen(slow, ada))
    assert apply(service, event(COMPLETED, told)) == "waiting"
    slow.execute("commit")
    assert apply(service, event(EXPIRED, told | SAYS[EXPIRED])) == "expired"
    assert ada.balance() == 100
    assert ada.row("select state from api.orders")["state"] == "paid"


def test_event_without_an_order_is_matched_by_its_session(
    ada: Caller, service: Caller, admin: Connection
) -> None:
    told = session(attached(service, ada.call("create_order", pack_id="basique")))
    first = event(COMPLETED, told | {"client_reference_id": None})
    assert apply(service, first) == "unmatched"
    assert reported(admin, first) == "it names no order of ours"
    assert apply(service, event(SUCCEEDED, told)) == "granted"
    assert reported(admin, first) is None


@pytest.mark.parametrize("gone", [True, False], ids=["in full", "in part"])
def test_fully_refunded_parked_money_leaves_the_list(
    gone: bool, ada: Caller, service: Caller, admin: Connection
) -> None:
    told = session(attached(service, ada.call("create_order", pack_id="basique")), currency="usd")
    wrong = event(COMPLETED, told)
    assert apply(service, wrong) == "parked"
    charge = {"id": f"ch_{uuid4().hex}", "object": "charge", "currency": "usd"}
    charge["amount_refunded"] = 999 if gone else 998
    intent = {"id": told["payment_intent"], "object": "payment_intent"}
    refund = event("charge.refunded", charge | {"payment_intent": intent})
    assert apply(service, refund) == "parked"
    listed = admin.execute(
        "select event_id from audit.parked where payment_intent_id = %s", (told["payment_intent"],)
    ).fetchall()
    assert {event_id for (event_id,) in listed} == (set() if gone else {wrong["id"], refund["id"]})


# Whose event?


@pytest.mark.parametrize(
    ("kind", "status"), [(COMPLETED, "paid"), (COMPLETED, "unpaid"), (FAILED, "unpaid"), (EXPIRED, "unpaid")]
)
def test_only_a_named_session_moves_an_order(
    kind: str, status: str, ada: Caller, service: Caller, admin: Connection
) -> None:
    order = ada.call("create_order", pack_id="basique")
    says = SAYS[kind] | {"payment_status": status}
    own, stray = session(order, **says), session(order, **says)
    early, other = event(kind, own), event(kind, stray)
    for told in (early, other, early):
        assert apply(service, told) == "waiting"
        assert reported(admin, told) == ("its order has no session yet" if status == "paid" else None)
    assert ada.row("select state, checkout_session_id from api.orders") == {
        "state": "pending",
        "checkout_session_id": None,
    }
    assert service.call("maintain")["events"] == 0

    order = attached(service, order, own["id"])
    state = {"paid": "paid", COMPLETED: "processing", FAILED: "failed", EXPIRED: "expired"}
    assert order["state"] == state[status if status == "paid" else kind]
    assert ada.balance() == (100 if status == "paid" else 0)
    assert apply(service, early) == "duplicate"
    assert reported(admin, early) is None
    assert reported(admin, other) == ("another session than the order's" if status == "paid" else None)


def test_only_the_named_session_ends_an_order(ada: Caller, service: Caller) -> None:
    order = attached(service, ada.call("create_order", pack_id="basique"))
    for kind in (EXPIRED, FAILED, COMPLETED, SUCCEEDED):
        for status in ("unpaid", "paid"):
            says = SAYS[kind] | {"payment_status": status}
            apply(service, event(kind, session(order, id=f"cs_{uuid4().hex}", **says)))
    assert ada.row("select state from api.orders")["state"] == "pending"
    assert apply(service, event(COMPLETED, session(order))) == "granted"
    assert ada.balance() == 100


@pytest.mark.parametrize("session_id", [None, "", "c" * 256], ids=["none", "empty", "long"])
def test_checkout_needs_the_id_of_a_session(session_id: str | None, ada: Caller, service: Caller) -> None:
    order = ada.call("create_order", pack_id="basique")
    with pytest.raises(psycopg.Error) as caught:
        service.call(
            "attach_checkout",
            account_id=order["account_id"],
            order_id=order["order_id"],
            session_id=session_id,
        )
    assert caught.value.sqlstate == "PT422"


# One that fails, and many at once


def test_failing_event_does_not_stop_maintenance(db: Connection) -> None:
    bank = Caller(db, "none")
    early = {}
    for who in ("ada", "bob", "cyd"):
        order = attached(bank, bank.call("create_order", pack_id="basique", user_id=who))
        early[who] = event(COMPLETED, session(order))
        moved = (
            "update credits.orders set order_id = gen_random_uuid() where order_id = %s returning order_id"
        )
        hidden = bank.row(moved, (order["order_id"],))["order_id"]
        assert apply(bank, early[who]) == "waiting"
        bank.row(
            "update credits.orders set order_id = %s where order_id = %s returning 1",
            (order["order_id"], hidden),
        )
    bank.row(
        "update credits.wallets set lifetime_granted = 99999999999999 where account_id ="
        " (select account_id from credits.identities where subject = 'ada') returning 1"
    )
    assert bank.call("maintain")["events"] == 2
    assert bank.call("maintain")["events"] == 0
    balances = bank.rows(
        "select user_id, balance from api.balance where user_id is not null order by user_id"
    )
    assert [row["balance"] for row in balances] == [0, 100, 100]
    (left,) = bank.rows("select event_id, trouble from credits.stripe_events where outcome = 'waiting'")
    assert left == {"event_id": early["ada"]["id"], "trouble": "the account would pass 10^14 tokens"}
    assert reported(db, early["ada"]) == left["trouble"]
    bank.row(
        "update credits.wallets set lifetime_granted = 0 where account_id ="
        " (select account_id from credits.identities where subject = 'ada') returning 1"
    )
    assert bank.call("maintain")["events"] == 1
    assert reported(db, early["ada"]) is None
    left = bank.row("select trouble from credits.stripe_events where event_id = %s", (early["ada"]["id"],))
    assert left["trouble"] is None


@pytest.mark.slow
def test_events_attachments_and_maintenance_at_once_grant_each_order_once(
    user: User, crowd: Crowd, admin: Connection
) -> None:
    """The events come before, while and after their orders' sessions are named."""
    services = crowd(16)
    people = [user() for _ in range(4)]
    orders = [each.call("create_order", pack_id="basique") for each in people for _ in range(8)]
    names = [f"cs_{uuid4().hex}" for _ in orders]
    paid = [event(COMPLETED, session(order, id=name)) for order, name in zip(orders, names, strict=True)]

    def work(place: int, service: Caller) -> None:
        for turn in range(len(orders)):
            which = (turn * 5 + place * 3) % len(orders)
            if place % 4 == 0:
                attached(service, orders[which], names[which])
            elif place % 4 == 1:
                service.call("maintain")
            else:
                service.call("apply_stripe_event", event=paid[which])

    results = at_once([lambda p=place, s=service: work(p, s) for place, service in enumerate(services)])
    assert slugs(results) == []
    assert [each.balance() for each in people] == [800] * 4
    states = {row["state"] for each in people for row in each.rows("select state from api.orders")}
    assert states == {"paid"}
    left = admin.execute(
        "select count(*) from credits.stripe_events where outcome = 'waiting' and event_id = any (%s)",
        ([told["id"] for told in paid],),
    )
    assert left.fetchone() == (0,)


@pytest.mark.parametrize("first", ["event", "attachment"])
def test_second_of_an_event_and_an_attachment_sees_the_first(
    first: str, ada: Caller, slow: Connection, crowd: Crowd, admin: Connection
) -> None:
    order = ada.call("create_order", pack_id="basique")
    name = f"cs_{uuid4().hex}"
    paid = event(COMPLETED, session(order, id=name))
    (service,) = crowd(1)
    if first == "event":
        slow.execute("select api.apply_stripe_event(%s)", (Jsonb(paid),))
        works = [lambda: attached(service, order, name), lambda: slow.execute("commit")]
    else:
        slow.execute("select api.attach_checkout(%s, %s, %s)", (order["account_id"], order["order_id"], name))
        works = [lambda: apply(service, paid), lambda: slow.execute("commit")]
    results = at_once(works)
    assert slugs(results) == []
    assert ada.balance() == 100
