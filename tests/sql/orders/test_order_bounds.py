"""An order without a checkout lasts an hour, while the same thing is sold. Only so many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from callers import BOOKS, Caller, Connection, at_once, refused, slugs
from stripe_events import COMPLETED, EXPIRED, SAYS, event, session


def stock(connection: Connection) -> Caller:
    """The superuser, with a pack, a top-up, and test clocks."""
    connection.execute("select credits.allow_test_clocks(true)")
    connection.execute("select credits.define_topup('eur', 500, 100000, 1)")
    connection.execute(
        "select credits.define_pack('gift', 'Gift', 10, 500, 'eur', 2, p_expires_after => '30 days')"
    )
    connection.execute(
        "select credits.define_pack('sound', 'Sound', 10, 500, 'eur', p_scope => 'category:audio')"
    )
    return Caller(connection, "none")


@pytest.fixture
def bank(db: Connection) -> Caller:
    """On a database of its own."""
    return stock(db)


@pytest.fixture(scope="module")
def till(admin: Connection, admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url) as connection:
        yield connection


@pytest.fixture
def counter(till: Connection) -> Iterator[Caller]:
    """In a transaction that is rolled back."""
    till.execute("begin")
    yield stock(till)
    till.rollback()


def attach(bank: Caller, order: dict[str, Any], session_id: str | None = None) -> Any:
    return bank.call(
        "attach_checkout",
        account_id=order["account_id"],
        order_id=order["order_id"],
        session_id=session_id or f"cs_{uuid4().hex}",
    )


def age(bank: Caller, order: dict[str, Any], interval: str) -> None:
    bank.connection.execute(
        "update credits.orders set created_at = created_at - %s::interval where order_id = %s",
        (interval, order["order_id"]),
    )


def state(bank: Caller, order: dict[str, Any]) -> str:
    row = bank.row("select state from credits.orders where order_id = %s", (order["order_id"],))
    return str(row["state"])


# A change of what is sold, and the order whose snapshot is then out of date.
CHANGES = [
    # What the buyer saw.
    ({"pack_id": "gift"}, "update credits.packs set title = 'Present' where pack_id = 'gift'"),
    ({"pack_id": "gift"}, "update credits.packs set title = 'gift' where pack_id = 'gift'"),
    # PostgreSQL calls them equal, the calendar does not.
    ({"pack_id": "gift"}, "update credits.packs set expires_after = '1 month' where pack_id = 'gift'"),
    ({"pack_id": "gift"}, "update credits.packs set expires_after = '720 hours' where pack_id = 'gift'"),
    ({"pack_id": "gift"}, "update credits.packs set active = false where pack_id = 'gift'"),
    ({"pack_id": "gift"}, "update credits.packs set amount = 501 where pack_id = 'gift'"),
    ({"pack_id": "gift"}, "update credits.packs set tokens = 9 where pack_id = 'gift'"),
    ({"pack_id": "gift"}, "update credits.packs set bonus_tokens = 0 where pack_id = 'gift'"),
    ({"pack_id": "gift"}, "update credits.packs set currency = 'usd' where pack_id = 'gift'"),
    ({"pack_id": "gift"}, "update credits.packs set expires_after = null where pack_id = 'gift'"),
    ({"pack_id": "gift"}, "update credits.packs set expires_after = '31 days' where pack_id = 'gift'"),
    ({"pack_id": "gift"}, "update credits.packs set stripe_price_id = 'price_1' where pack_id = 'gift'"),
    ({"pack_id": "gift"}, "update credits.packs set scope = 'category:audio' where pack_id = 'gift'"),
    ({"pack_id": "sound"}, "update credits.packs set scope = null where pack_id = 'sound'"),
    ({"pack_id": "sound"}, "update credits.packs set scope = 'module:whisper' where pack_id = 'sound'"),
    (
        {"pack_id": "sound", "module_id": "whisper"},
        "update credits.packs set scope = 'module:metube' where pack_id = 'sound'",
    ),
    (
        {"pack_id": "gift", "module_id": "whisper"},
        "update credits.modules set active = false where module_id = 'whisper'",
    ),
    ({"amount": 1000}, "update credits.topups set tokens_per_unit = 0.9 where currency = 'eur'"),
    ({"amount": 1000}, "update credits.topups set maximum = 900 where currency = 'eur'"),
    ({"amount": 1000}, "update credits.topups set minimum = 1100 where currency = 'eur'"),
    ({"amount": 1000}, "delete from credits.topups where currency = 'eur'"),
]


@pytest.mark.parametrize(("what", "change"), CHANGES)
def test_order_ends_when_the_sale_changes(what: dict[str, Any], change: str, counter: Caller) -> None:
    order = counter.call("create_order", user_id="ada", idempotency_key="k", **what)
    assert counter.connection.execute(change).rowcount == 1
    with refused("order_closed") as facts:
        attach(counter, order)
    assert facts["state"] == "expired"
    # The refusal undid itself. The next call on the account notes that the order is over.
    if "module_id" not in what or "credits.modules" not in change:
        again = counter.call("create_order", user_id="ada", idempotency_key="k", **what)
        assert (again["order_id"], again["state"], again["replayed"]) == (order["order_id"], "expired", True)
        assert state(counter, order) == "expired"


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ({"pack_id": "gift"}, "update credits.packs set popular = true where pack_id = 'gift'"),
        ({"pack_id": "gift"}, "update credits.packs set position = 7 where pack_id = 'gift'"),
        ({"pack_id": "gift"}, "update credits.packs set title = 'Gift' where pack_id = 'gift'"),
        (
            {"pack_id": "sound", "module_id": "whisper"},
            "update credits.packs set scope = 'module:whisper' where pack_id = 'sound'",
        ),
        (
            {"pack_id": "sound", "module_id": "whisper"},
            "update credits.packs set scope = null where pack_id = 'sound'",
        ),
        ({"amount": 1000}, "update credits.topups set maximum = 1000 where currency = 'eur'"),
    ],
)
def test_order_stays_good_while_the_same_thing_is_sold(
    what: dict[str, Any], change: str, counter: Caller
) -> None:
    order = counter.call("create_order", user_id="ada", **what)
    counter.connection.execute(change)
    assert attach(counter, order)["state"] == "pending"


def test_order_is_good_for_an_hour(counter: Caller) -> None:
    old, young = (
        counter.call("create_order", user_id="ada", pack_id="gift", idempotency_key=k) for k in "12"
    )
    age(counter, old, "1 hour")
    age(counter, young, "59 minutes")
    assert attach(counter, young)["state"] == "pending"
    with refused("order_closed") as facts:
        attach(counter, old)
    assert facts["state"] == "expired"
    again = counter.call("create_order", user_id="ada", pack_id="gift", idempotency_key="1")
    assert (again["order_id"], again["state"]) == (old["order_id"], "expired")
    assert (
        counter.call("create_order", user_id="ada", pack_id="gift", idempotency_key="3")["state"] == "pending"
    )


def test_order_with_a_checkout_keeps_its_snapshot(bank: Caller) -> None:
    order = bank.call("create_order", user_id="ada", pack_id="gift", idempotency_key="k")
    attached = attach(bank, order, "cs_1")
    age(bank, order, "5 hours")
    bank.connection.execute("update credits.packs set active = false, tokens = 1 where pack_id = 'gift'")
    assert attach(bank, order, "cs_1")["state"] == "pending"
    again = bank.call("create_order", user_id="ada", pack_id="gift", idempotency_key="k")
    assert (again["state"], again["checkout_session_id"]) == ("pending", "cs_1")
    bank.call("maintain")
    assert state(bank, order) == "pending"
    bank.call("apply_stripe_event", event=event(COMPLETED, session(attached)))
    assert bank.row("select balance from credits.wallets") == {"balance": 12}


def test_orders_hour_follows_the_accounts_clock(bank: Caller) -> None:
    bank.call("set_test_clock", user_id="ada", frozen_time="2027-03-01T12:00:00Z")
    order = bank.call("create_order", user_id="ada", pack_id="gift")
    bank.call("set_test_clock", user_id="ada", advance="59 minutes")
    bank.call("maintain")
    assert state(bank, order) == "pending"
    bank.call("set_test_clock", user_id="ada", advance="1 minute")
    with refused("order_closed"):
        attach(bank, order)
    assert bank.call("maintain")["accounts"] == 1
    assert state(bank, order) == "expired"


def test_maintenance_ends_forgotten_orders(bank: Caller) -> None:
    orders = [bank.call("create_order", user_id=f"user {n}", pack_id="gift") for n in range(5)]
    for order in orders[:4]:
        age(bank, order, "61 minutes")
    attach_late = orders[4]
    assert bank.call("maintain", max_accounts=3)["accounts"] == 3
    assert bank.call("maintain", max_accounts=3)["accounts"] == 1
    assert bank.call("maintain", max_accounts=3)["accounts"] == 0
    assert sorted(state(bank, order) for order in orders) == ["expired"] * 4 + ["pending"]
    assert attach(bank, attach_late)["state"] == "pending"


def test_maintenance_passes_over_a_wallet_that_is_in_use(bank: Caller, url: str) -> None:
    order = bank.call("create_order", user_id="ada", pack_id="gift")
    age(bank, order, "2 hours")
    with psycopg.connect(url) as other:
        other.execute("begin")
        other.execute("select from credits.wallets for no key update")
        assert bank.call("maintain")["accounts"] == 0
    assert state(bank, order) == "pending"
    assert bank.call("maintain")["accounts"] == 1


def test_too_many_pending_orders_are_refused(counter: Caller) -> None:
    orders = [counter.call("create_order", user_id="ada", pack_id="gift") for _ in range(20)]
    with refused("too_many_orders") as facts:
        counter.call("create_order", user_id="ada", pack_id="gift", idempotency_key="21")
    assert facts["limit"] == 20
    first = counter.row(
        "select created_at + interval '1 hour' as due, %s::timestamptz as said"
        " from credits.orders where account_id = %s order by created_at limit 1",
        (facts["reset_at"], orders[0]["account_id"]),
    )
    assert first["due"] == first["said"]
    # Other accounts are not affected, and a refusal leaves no key.
    assert counter.call("create_order", user_id="bob", pack_id="gift")["state"] == "pending"
    age(counter, orders[0], "1 hour")
    again = counter.call("create_order", user_id="ada", pack_id="gift", idempotency_key="21")
    assert (again["state"], again["replayed"]) == ("pending", False)
    # A repeat does not make a new order.
    assert counter.call("create_order", user_id="ada", pack_id="gift", idempotency_key="21")["replayed"]
    attached = attach(counter, orders[1])
    with refused("too_many_orders"):
        counter.call("create_order", user_id="ada", pack_id="gift")
    counter.call("apply_stripe_event", event=event(EXPIRED, session(attached, **SAYS[EXPIRED])))
    assert counter.call("create_order", user_id="ada", pack_id="gift")["state"] == "pending"


def test_order_with_an_old_checkout_no_longer_counts(counter: Caller) -> None:
    counter.rows("select credits.bound_orders(1)")
    order = counter.call("create_order", user_id="ada", pack_id="gift")
    attach(counter, order)
    age(counter, order, "24 hours")
    with refused("too_many_orders"):
        counter.call("create_order", user_id="ada", pack_id="gift")
    age(counter, order, "1 hour")
    assert counter.call("create_order", user_id="ada", pack_id="gift")["state"] == "pending"


def test_operator_sets_the_number_of_pending_orders(counter: Caller) -> None:
    counter.rows("select credits.bound_orders(2)")
    for _ in range(2):
        counter.call("create_order", user_id="ada", pack_id="gift")
    with refused("too_many_orders") as facts:
        counter.call("create_order", user_id="ada", pack_id="gift")
    assert facts["limit"] == 2
    for wrong in (0, -1, 100001, None):
        with refused("bad_limit"):
            counter.rows("select credits.bound_orders(%s)", (wrong,))
    # Without the settings row a bound still holds.
    counter.connection.execute("delete from credits.settings")
    for _ in range(18):
        counter.call("create_order", user_id="ada", pack_id="gift")
    with refused("too_many_orders"):
        counter.call("create_order", user_id="ada", pack_id="gift")


def test_concurrent_orders_keep_the_bound(bank: Caller, url: str) -> None:
    bank.rows("select credits.bound_orders(5)")
    bank.call("open_account", user_id="ada")
    with ExitStack() as stack:
        crowd = [Caller(stack.enter_context(psycopg.connect(url, autocommit=True)), "none") for _ in range(8)]
        buy = [partial(caller.call, "create_order", user_id="ada", pack_id="gift") for caller in crowd]
        results = at_once(buy)
    assert slugs(results) == ["too_many_orders"] * 3


# Cancelling


def cancel(bank: Caller, order: dict[str, Any]) -> Any:
    return bank.call("cancel_order", account_id=order["account_id"], order_id=order["order_id"])


def test_order_is_cancelled_once_and_makes_room(counter: Caller) -> None:
    counter.rows("select credits.bound_orders(1)")
    order = counter.call("create_order", user_id="ada", pack_id="gift")
    assert cancel(counter, order) == order | {"state": "expired"}
    assert cancel(counter, order) == order | {"state": "expired"}
    with refused("order_closed") as facts:
        attach(counter, order)
    assert facts["state"] == "expired"
    assert counter.call("create_order", user_id="ada", pack_id="gift")["state"] == "pending"


def test_money_that_comes_for_a_cancelled_order_is_granted(bank: Caller) -> None:
    order = attach(bank, bank.call("create_order", user_id="ada", pack_id="gift"))
    assert cancel(bank, order)["state"] == "expired"
    bank.call("apply_stripe_event", event=event(COMPLETED, session(order)))
    assert state(bank, order) == "paid"
    assert cancel(bank, order)["state"] == "paid"
    assert bank.rows(BOOKS) == []


def test_only_a_service_cancels_existing_orders(bank: Caller, connect_as: Callable[..., Connection]) -> None:
    order = bank.call("create_order", user_id="ada", pack_id="gift")
    ada = Caller(connect_as("authenticated", "ada"), "authenticated", "ada")
    with pytest.raises(Exception, match="permission denied"):
        cancel(ada, order)
    with refused("unknown_order"):
        cancel(bank, order | {"order_id": uuid4()})
    with refused("unknown_user"):
        cancel(bank, order | {"account_id": uuid4()})


# Its session


@pytest.mark.parametrize("buyer", ["ada", "bob"])
@pytest.mark.parametrize("paid", [False, True], ids=["pending", "paid"])
def test_session_of_another_order_is_refused(bank: Caller, buyer: str, paid: bool) -> None:
    first = attach(bank, bank.call("create_order", user_id="ada", pack_id="gift"), "cs_1")
    if paid:
        bank.call("apply_stripe_event", event=event(COMPLETED, session(first)))
    second = bank.call("create_order", user_id=buyer, pack_id="gift")
    with refused("order_closed") as facts:
        attach(bank, second, "cs_1")
    assert facts["state"] == "pending"
    assert attach(bank, first, "cs_1")["checkout_session_id"] == "cs_1"
    assert attach(bank, second, "cs_2")["state"] == "pending"


# Customers at Stripe


def test_only_a_missing_customer_is_replaced(counter: Caller) -> None:
    def attach(customer_id: str, replaces: str | None = None) -> str:
        order = counter.call("create_order", user_id="ada", pack_id="gift")
        return str(
            counter.call(
                "attach_checkout",
                account_id=order["account_id"],
                order_id=order["order_id"],
                session_id=f"cs_{uuid4().hex}",
                customer_id=customer_id,
                replaces_customer_id=replaces,
            )["stripe_customer_id"]
        )

    assert attach("cus_1") == "cus_1"
    assert attach("cus_2") == "cus_1"
    assert attach("cus_2", "cus_1") == "cus_2"
    assert attach("cus_3", "cus_1") == "cus_2"
    assert attach("cus_1") == "cus_2"
