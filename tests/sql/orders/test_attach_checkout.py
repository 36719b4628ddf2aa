"""An order keeps the session and customer that Stripe made for it, each once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from callers import Caller, refused

User = Callable[..., Caller]
Attach = Callable[..., dict[str, Any]]


@pytest.fixture
def attach(service: Caller) -> Attach:
    def attach(order: dict[str, Any], session_id: str | None, customer_id: str | None = None) -> Any:
        return service.call(
            "attach_checkout",
            account_id=order["account_id"],
            order_id=order["order_id"],
            session_id=session_id,
            customer_id=customer_id,
        )

    return attach


def test_session_and_customer_are_noted(user: User, attach: Attach) -> None:
    ada, name = user(), uuid4().hex
    order = ada.call("create_order", pack_id="standard")
    attached = attach(order, f"cs_{name}", f"cus_{name}")
    assert attached == order | {
        "checkout_session_id": f"cs_{name}",
        "stripe_customer_id": f"cus_{name}",
    }
    assert ada.row("select checkout_session_id from api.orders")["checkout_session_id"] == f"cs_{name}"


def test_the_first_customer_stays(user: User, attach: Attach) -> None:
    ada, name = user(), uuid4().hex
    attach(ada.call("create_order", pack_id="standard"), f"cs_1{name}", f"cus_1{name}")
    second = attach(ada.call("create_order", pack_id="standard"), f"cs_2{name}", f"cus_2{name}")
    assert second["stripe_customer_id"] == f"cus_1{name}"


def test_session_may_be_attached_again_and_not_replaced(user: User, attach: Attach) -> None:
    order, name = user().call("create_order", pack_id="standard"), uuid4().hex
    assert attach(order, f"cs_{name}") == attach(order, f"cs_{name}")
    with refused("order_closed"):
        attach(order, f"cs_other_{name}")


@pytest.mark.parametrize("part", ["account_id", "order_id"])
def test_checkout_is_for_an_order_of_the_account(part: str, user: User, attach: Attach) -> None:
    mine = user().call("create_order", pack_id="standard")
    other = user().call("create_order", pack_id="standard")
    with refused("unknown_order"):
        attach(mine | {part: other[part]}, "cs_x")


def test_checkout_needs_an_existing_account(user: User, attach: Attach) -> None:
    order = user().call("create_order", pack_id="standard")
    with refused("unknown_user"):
        attach(order | {"account_id": uuid4()}, "cs_x")
