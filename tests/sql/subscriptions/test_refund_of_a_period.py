"""A period of a plan is an order as any other: a service can refund what is not spent of it."""

from __future__ import annotations

import pytest
from callers import refused
from subscribing import FEB, JAN, PRO, Subscriber
from subscription_events import at, line
from topping import claim, report

pytestmark = pytest.mark.slow


def test_service_refunds_what_is_left_of_a_period(ada: Subscriber) -> None:
    ada.pay(1, line(PRO, 2900, JAN, FEB), reason="create")
    ada.spend(500)
    (order,) = ada.bank.rows("select order_id, kind from api.orders where user_id = %s", (ada.user_id,))
    asking = {"user_id": ada.user_id, "order_id": order["order_id"]}
    with refused("bad_amount"):
        ada.call("request_refund", **asking, tokens=2501)
    asked = ada.call("request_refund", **asking, tokens="Infinity")
    assert (order["kind"], asked["amount"]) == ("subscription", 2900 * 2500 // 3000)

    (call,) = [made for made in claim(ada.bank, most=100) if made["account_id"] == str(ada.account_id)]
    refund = {
        "id": ada.named("re_1"),
        "object": "refund",
        "amount": asked["amount"],
        "currency": "eur",
        "status": "succeeded",
        "payment_intent": call["params"]["payment_intent"],
        "metadata": call["params"]["metadata"],
    }
    assert ada.apply(at("refund.created", refund, JAN)) == "applied"
    report(ada.bank, call, {"object": refund})
    assert ada.balance() == 2500 - asked["tokens"]
