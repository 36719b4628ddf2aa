"""Stripe's events: what is not from Stripe is refused, what is has its effect once."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest
from knocking import OLD_WEBHOOK_SECRET, WEBHOOK_SECRET, User, balance, serving, sign, slug

from pgcredits.app import create_app
from pgcredits.settings import Settings

PATHS = ("/webhooks/stripe", "/api/stripe-webhook")
_events = itertools.count(time.time_ns())


def event(type_: str = "customer.created", object_: dict[str, Any] | None = None, **more: Any) -> str:
    name = f"evt_{next(_events)}"
    data = {"object": object_ or {"id": "cus_1", "object": "customer"}}
    return json.dumps({"id": name, "object": "event", "type": type_, "livemode": False, "data": data, **more})


def order(client: httpx.Client, user: User) -> dict[str, Any]:
    response = client.post("/rest/v1/rpc/create_order", json={"pack_id": "standard"}, headers=user.headers)
    result: dict[str, Any] = response.raise_for_status().json()
    return result


def session(order: dict[str, Any], **more: Any) -> dict[str, Any]:
    name = f"cs_test_{order['order_id']}"
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


def deliver(client: httpx.Client, payload: str, path: str = PATHS[0]) -> httpx.Response:
    return client.post(path, content=payload, headers=sign(payload))


@pytest.mark.parametrize("path", PATHS)
def test_a_paid_session_grants_once(client: httpx.Client, user: User, path: str) -> None:
    bought = order(client, user)
    payload = event("checkout.session.completed", session(bought))
    response = deliver(client, payload, path)
    assert response.status_code == 200
    assert (response.json()["outcome"], response.json()["order_id"]) == ("granted", bought["order_id"])
    assert deliver(client, payload, path).json()["outcome"] == "duplicate"
    second = event("checkout.session.async_payment_succeeded", session(bought))
    assert deliver(client, second, path).json()["outcome"] == "duplicate"
    assert balance(client, user) == 500


def test_fifty_at_once(client: httpx.Client, user: User) -> None:
    payload = event("checkout.session.completed", session(order(client, user)))
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: deliver(client, payload), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json()["outcome"] for answer in answers].count("granted") == 1
    assert balance(client, user) == 500


def test_unknown_types_are_kept(client: httpx.Client) -> None:
    response = deliver(client, event("something.new"))
    assert (response.status_code, response.json()["outcome"]) == (200, "stored")


def test_the_secret_before_the_rotation(client: httpx.Client) -> None:
    payload = event()
    assert (
        client.post(PATHS[0], content=payload, headers=sign(payload, OLD_WEBHOOK_SECRET)).status_code == 200
    )


def test_several_signatures(client: httpx.Client) -> None:
    payload = event()
    good = sign(payload)["Stripe-Signature"]
    header = good.replace("v1=", f"v1={'0' * 64},v0=x,v1=")
    assert client.post(PATHS[0], content=payload, headers={"Stripe-Signature": header}).status_code == 200


def _forgeries() -> dict[str, Callable[[str], dict[str, str]]]:
    now = int(time.time())
    return {
        "none": lambda payload: {},
        "empty": lambda payload: {"Stripe-Signature": ""},
        "nonsense": lambda payload: {"Stripe-Signature": "nonsense"},
        "no time": lambda payload: {"Stripe-Signature": sign(payload)["Stripe-Signature"].partition(",")[2]},
        "no signature": lambda payload: {"Stripe-Signature": f"t={now}"},
        "another secret": lambda payload: sign(payload, "whsec_forged"),
        "empty secret": lambda payload: sign(payload, ""),
        "another payload": lambda payload: sign(payload + " "),
        "old": lambda payload: sign(payload, when=time.time() - 302),
        "future": lambda payload: sign(payload, when=time.time() + 310),
        "far future": lambda payload: sign(payload, when=time.time() + 10**9),
        "changed time": lambda payload: {
            "Stripe-Signature": sign(payload, when=now - 400)["Stripe-Signature"].replace(
                str(now - 400), str(now)
            )
        },
        "two times": lambda payload: {
            "Stripe-Signature": f"t={now}," + sign(payload, when=now - 400)["Stripe-Signature"]
        },
        "wrong scheme": lambda payload: {
            "Stripe-Signature": sign(payload)["Stripe-Signature"].replace("v1=", "v0=")
        },
        "huge time": lambda payload: {"Stripe-Signature": "t=" + "9" * 5000 + ",v1=x"},
        "negative time": lambda payload: {"Stripe-Signature": "t=-1,v1=x"},
    }


@pytest.mark.parametrize("forgery", _forgeries())
def test_forgeries(client: httpx.Client, user: User, forgery: str) -> None:
    payload = event("checkout.session.completed", session(order(client, user)))
    response = client.post(PATHS[0], content=payload, headers=_forgeries()[forgery](payload))
    assert (response.status_code, slug(response)) == (400, "bad_signature")
    assert balance(client, user) == 0


def test_a_signature_that_is_not_ascii(client: httpx.Client) -> None:
    payload = event()
    for value in (b"t=1,v1=\xe9", "t=\u0661,v1=x".encode(), b"\xff"):
        response = client.post(PATHS[0], content=payload, headers=[(b"Stripe-Signature", value)])
        assert (response.status_code, slug(response)) == (400, "bad_signature")


def test_a_body_that_is_not_utf8(client: httpx.Client) -> None:
    response = client.post(
        PATHS[0], content=b"\xff\xfe", headers={"Stripe-Signature": f"t={int(time.time())},v1=x"}
    )
    assert (response.status_code, slug(response)) == (400, "bad_payload")


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '{"id": NaN}',
        event(note="\0"),
        event()[:-1] + ', "x": "\\ud800"}',
        event(livemode=True),
        event(livemode=None),
    ],
)
def test_signed_but_no_event(client: httpx.Client, payload: str) -> None:
    response = deliver(client, payload)
    assert (response.status_code, slug(response)) == (400, "bad_payload")


@pytest.mark.parametrize(
    "payload", [event(object="charge"), event(id=""), event(type=None), event(data=[]), event(id="x" * 256)]
)
def test_events_the_database_refuses(client: httpx.Client, payload: str) -> None:
    response = deliver(client, payload)
    assert (response.status_code, slug(response)) == (400, "bad_event")


def test_large_events(client: httpx.Client) -> None:
    payload = event(note="x" * 900_000)
    assert deliver(client, payload).status_code == 200
    response = deliver(client, event(note="x" * 1_000_000))
    assert (response.status_code, slug(response)) == (413, "too_large")


def test_our_own_failure_is_5xx_and_heals(
    client: httpx.Client, user: User, admin: psycopg.Connection[Any]
) -> None:
    payload = event("checkout.session.completed", session(order(client, user)))
    admin.execute(
        "alter table credits.stripe_events add constraint closed_for_a_test check (false) not valid"
    )
    try:
        response = deliver(client, payload)
        assert (response.status_code, slug(response)) == (500, "internal")
        assert "closed_for_a_test" not in response.text
    finally:
        admin.execute("alter table credits.stripe_events drop constraint closed_for_a_test")
    assert deliver(client, payload).json()["outcome"] == "granted"
    assert balance(client, user) == 500


def test_without_a_secret_nothing_is_believed(settings: Settings) -> None:
    with serving(create_app(replace(settings, stripe_webhook_secrets=()))) as url:
        payload = event()
        response = httpx.post(
            f"{url}/webhooks/stripe", content=payload, headers=sign(payload, WEBHOOK_SECRET)
        )
        assert (response.status_code, slug(response)) == (503, "unavailable")


def test_a_live_key_wants_live_events(settings: Settings) -> None:
    with serving(create_app(replace(settings, stripe_secret_key="sk_live_of_nobody"))) as url:
        payload = event()
        response = httpx.post(f"{url}/webhooks/stripe", content=payload, headers=sign(payload))
        assert (response.status_code, slug(response)) == (400, "bad_payload")
