"""Ordering: a snapshot of what is sold, before any money moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from callers import BOOKS, Caller, Connection, refused
from stripe_events import COMPLETED, attached, event, session

from pgcredits.bank.migrate import SQL

User = Callable[..., Caller]


def test_order_is_a_snapshot_of_its_pack(user: User) -> None:
    ada = user()
    receipt = ada.call("create_order", pack_id="standard")
    assert isinstance(receipt.pop("order_id"), UUID)
    assert isinstance(receipt.pop("account_id"), UUID)
    assert receipt == {
        "user_id": ada.user_id,
        "pack_id": "standard",
        "package_name": "Standard",
        "module_id": None,
        "tokens": 500,
        "bonus_tokens": 0,
        "amount": 3999,
        "currency": "eur",
        "state": "pending",
        "stripe_price_id": None,
        "stripe_customer_id": None,
        "checkout_session_id": None,
        "replayed": False,
        "scope": None,
        "kind": "checkout",
    }


def test_order_gives_no_tokens(user: User) -> None:
    ada = user()
    ada.call("create_order", pack_id="standard")
    assert ada.balance() == 0
    assert ada.row("select state, paid_at from api.orders") == {"state": "pending", "paid_at": None}


def test_order_opens_the_account_of_a_newcomer(user: User, service: Caller) -> None:
    ada, bob = user(), user()
    ada.call("create_order", pack_id="basique")
    service.call("create_order", pack_id="basique", user_id=bob.user_id)
    assert [caller.row("select user_id from api.orders")["user_id"] for caller in (ada, bob)] == [
        ada.user_id,
        bob.user_id,
    ]


def test_order_may_be_bound_to_a_module(user: User) -> None:
    receipt = user().call("create_order", pack_id="standard", module_id="whisper")
    assert (receipt["module_id"], receipt["scope"]) == ("whisper", "module:whisper")


@pytest.mark.parametrize("module_id", ["", "unheard of", "x" * 12_000], ids=["empty", "unknown", "12 kB"])
def test_order_refuses_an_unlisted_module(module_id: str, user: User) -> None:
    with refused("unknown_module"):
        user().call("create_order", pack_id="standard", module_id=module_id)


@pytest.mark.parametrize("pack_id", ["", "unheard of", "Standard", "x" * 12_000], ids=str)
def test_order_refuses_an_unlisted_pack(pack_id: str, user: User) -> None:
    with refused("unknown_pack"):
        user().call("create_order", pack_id=pack_id)


@pytest.mark.parametrize(
    "what", [{}, {"pack_id": "standard", "amount": 3999}, {"pack_id": None, "amount": None}]
)
def test_order_is_for_a_pack_or_an_amount(what: dict[str, object], user: User) -> None:
    with refused("bad_order"):
        user().call("create_order", **what)


@pytest.mark.parametrize("amount", [1000, 0, -5, 2**63 - 1])
def test_amount_is_refused_without_a_topup_in_the_catalog(amount: int, user: User) -> None:
    with refused("bad_amount"):
        user().call("create_order", amount=amount)


def test_refused_order_leaves_nothing(user: User, admin: Connection) -> None:
    ada = user()
    with refused("unknown_pack"):
        ada.call("create_order", pack_id="unheard of", idempotency_key="k")
    assert (
        admin.execute("select 1 from credits.identities where subject = %s", (ada.user_id,)).fetchall() == []
    )
    assert not ada.call("create_order", pack_id="basique", idempotency_key="k")["replayed"]


def test_users_order_for_themselves_only(user: User, service: Caller) -> None:
    with refused("not_yours"):
        user().call("create_order", pack_id="standard", user_id=user(1).user_id)
    with refused("bad_user"):
        service.call("create_order", pack_id="standard")


def test_frozen_account_may_order_and_a_closed_one_may_not(user: User, admin: Connection) -> None:
    ada = user(1)
    for status in ("frozen", "closed"):
        admin.execute(
            "update credits.wallets set status = %s where account_id ="
            " (select account_id from credits.identities where subject = %s)",
            (status, ada.user_id),
        )
        if status == "frozen":
            assert ada.call("create_order", pack_id="standard")["state"] == "pending"
    with refused("account_frozen"):
        ada.call("create_order", pack_id="standard")


# Idempotency


def test_same_call_with_the_same_key_gets_the_same_order(user: User) -> None:
    ada = user()
    first = ada.call("create_order", pack_id="standard", idempotency_key="k")
    assert ada.call("create_order", pack_id="standard", idempotency_key="k") == first | {"replayed": True}
    assert ada.row("select count(*) from api.orders")["count"] == 1


def test_repeat_tells_the_order_as_it_stands_now(user: User, service: Caller) -> None:
    ada = user()
    first = ada.call("create_order", pack_id="standard", idempotency_key="k")
    service.call(
        "attach_checkout",
        account_id=first["account_id"],
        order_id=first["order_id"],
        session_id=f"cs_{first['order_id']}",
        customer_id=f"cus_{first['order_id']}",
    )
    again = ada.call("create_order", pack_id="standard", idempotency_key="k")
    assert (again["order_id"], again["replayed"]) == (first["order_id"], True)
    assert (again["checkout_session_id"], again["stripe_customer_id"]) == (
        f"cs_{first['order_id']}",
        f"cus_{first['order_id']}",
    )


@pytest.mark.parametrize("other", [{"pack_id": "premium"}, {"module_id": "whisper"}], ids=str)
def test_key_with_other_arguments_is_refused(other: dict[str, str], user: User) -> None:
    ada = user()
    ada.call("create_order", pack_id="standard", idempotency_key="k")
    with refused("key_reused"):
        ada.call("create_order", **{"pack_id": "standard", "idempotency_key": "k"} | other)


@pytest.mark.parametrize("key", ["", "k" * 201, "k" * 12_000], ids=["empty", "201", "12 kB"])
def test_key_has_1_to_200_characters(key: str, user: User) -> None:
    with refused("bad_key"):
        user().call("create_order", pack_id="standard", idempotency_key=key)


# Top-ups, bonuses, scopes and other extras of a catalog


@pytest.fixture
def seller(db: Connection) -> Caller:
    """A service on a database with top-ups and a pack that has a bonus, an expiry and a Stripe price."""
    db.execute("select credits.define_topup('eur', 500, 100000, 0.333333)")
    db.execute(
        "select credits.define_pack('gift', 'Gift', 10, 500, 'eur', p_bonus_tokens => 2.5,"
        " p_expires_after => '30 days', p_stripe_price_id => 'price_1')"
    )
    return Caller(db, "none")


def test_topups_and_bonuses_are_fixed_by_the_order(seller: Caller) -> None:
    for amount, tokens in ((500, "166.6665"), (501, "166.999833"), (100000, "33333.3")):
        order = seller.call("create_order", amount=amount, user_id="ada")
        assert (order["tokens"], order["amount"], order["package_name"], order["pack_id"]) == (
            Decimal(tokens),
            amount,
            "Top-up",
            None,
        )
    for amount in (499, 100001, 0, -500):
        with refused("bad_amount") as facts:
            seller.call("create_order", amount=amount, user_id="ada")
        assert (facts["minimum"], facts["maximum"]) == (500, 100000)

    order = seller.call("create_order", pack_id="gift", user_id="ada")
    assert (order["bonus_tokens"], order["stripe_price_id"]) == (Decimal("2.5"), "price_1")
    seller.rows("select credits.define_pack('gift', 'Gift', 99, 100, 'eur', p_active => false)")
    with refused("unknown_pack"):
        seller.call("create_order", pack_id="gift", user_id="ada")
    kept = seller.row("select * from credits.orders where order_id = %s", (order["order_id"],))
    assert (kept["tokens"], kept["amount"], kept["expires_after"]) == (10, 500, timedelta(days=30))


def test_bound_pack_stays_bound_and_may_be_narrowed(seller: Caller) -> None:
    for name, scope in (("dub", "module:whisper"), ("sound", "category:audio")):
        seller.rows("select credits.define_pack(%s, 'P', 10, 500, 'eur', p_scope => %s)", (name, scope))
    seller.rows("select credits.define_module('alone', 'Without a category')")
    for pack, module, scope in (
        ("dub", None, "module:whisper"),
        ("dub", "whisper", "module:whisper"),
        ("sound", None, "category:audio"),
        ("sound", "whisper", "module:whisper"),
    ):
        order = seller.call("create_order", pack_id=pack, module_id=module, user_id="ada")
        bound = scope.removeprefix("module:") if scope.startswith("module:") else None
        assert (order["scope"], order["module_id"]) == (scope, bound)
        seen = seller.row("select scope, module_id from api.orders where order_id = %s", (order["order_id"],))
        assert seen == {"scope": scope, "module_id": bound}
    for pack, module in (
        ("dub", "stablediffusion"),
        ("dub", "alone"),
        ("sound", "stablediffusion"),
        ("sound", "alone"),
    ):
        with refused("bad_order") as facts:
            seller.call("create_order", pack_id=pack, module_id=module, user_id="ada", idempotency_key="k")
        assert facts["scope"] == ("module:whisper" if pack == "dub" else "category:audio")
    assert not seller.call("create_order", pack_id="dub", user_id="ada", idempotency_key="k")["replayed"]


def test_bound_pack_pays_only_inside_its_scope(seller: Caller) -> None:
    seller.rows(
        "select credits.define_pack('sound', 'P', 50, 500, 'eur', 5, p_scope => 'category:audio'),"
        ' credits.define_price(\'[{"dimension": "calls", "price_per_unit": 55}]\', \'whisper\')'
    )
    order = attached(seller, seller.call("create_order", pack_id="sound", user_id="ada"))
    seller.call("apply_stripe_event", event=event(COMPLETED, session(order)))
    lots = seller.rows("select source, scope from api.lots where user_id = 'ada' order by source")
    assert lots == [{"source": source, "scope": "category:audio"} for source in ("bonus", "purchase")]
    with refused("insufficient_tokens") as facts:
        seller.call("consume_tokens", module_id="metube", user_id="ada")
    assert (facts["balance"], facts["missing"]) == (55, 10)
    assert seller.call("consume_tokens", module_id="whisper", user_id="ada")["balance"] == 0
    assert seller.rows(BOOKS) == []


def test_module_id_may_be_a_path(db: Connection) -> None:
    """As Luneo names its endpoints: in a price, an order, a scope, a charge."""
    bank = Caller(db, "none")
    db.execute((SQL / "catalogs" / "luneo.sql").read_text().encode())
    order = bank.call("create_order", pack_id="credits-100", module_id="/api/ai/generate", user_id="ada")
    assert (order["module_id"], order["scope"]) == ("/api/ai/generate", "module:/api/ai/generate")
    bank.call("apply_stripe_event", event=event(COMPLETED, session(attached(bank, order))))
    assert bank.call("consume_tokens", module_id="/api/ai/generate", user_id="ada")["balance"] == 95
    with refused("insufficient_tokens") as facts:
        bank.call("consume_tokens", module_id="/api/3d/render-highres", user_id="ada")
    assert (facts["cost"], facts["missing"]) == (8, 8)
    scope = "module:/api/3d/render-highres"
    bank.call("add_tokens", user_id="ada", tokens=8, scope=scope)
    receipt = bank.call("consume_tokens", module_id="/api/3d/render-highres", user_id="ada")
    assert (receipt["cost"], receipt["balance"]) == (8, 95)
