"""An order made over HTTP, and the events that Stripe would send about it."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import httpx
from http_calls import User, bearer

_events = itertools.count(time.time_ns())


def event(type_: str = "customer.created", object_: dict[str, Any] | None = None, **more: Any) -> str:
    name = f"evt_{next(_events)}"
    data = {"object": object_ or {"id": "cus_1", "object": "customer"}}
    return json.dumps({"id": name, "object": "event", "type": type_, "livemode": False, "data": data, **more})


def order(client: httpx.Client, user: User) -> dict[str, Any]:
    response = client.post("/rest/v1/rpc/create_order", json={"pack_id": "standard"}, headers=user.headers)
    result: dict[str, Any] = response.raise_for_status().json()
    attach = {"account_id": result["account_id"], "order_id": result["order_id"], "session_id": _name(result)}
    attached = client.post("/rest/v1/rpc/attach_checkout", json=attach, headers=bearer("service_role"))
    attached.raise_for_status()
    return result


def _name(order: dict[str, Any]) -> str:
    return f"cs_test_{order['order_id']}"


def session(order: dict[str, Any], **more: Any) -> dict[str, Any]:
    name = _name(order)
    return {
        "id": name,
        "object": "checkout.session",
        "client_reference_id": order["account_id"],
        "metadata": {"order_id": order["order_id"]},
        "payment_status": "paid",
        "payment_intent": f"pi_{name}",
        "currency": order["currency"],
        "amount_subtotal": order["amount"],
        **more,
    }
