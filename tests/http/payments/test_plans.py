"""Subscribing, against the Stripe simulator: checkout, renewal, another plan, the end, and the portal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import stripe
from http_calls import WEBHOOK_SECRET, User, balance, serving, slug
from support import free_port, stripe_client

from pgcredits.http.app import create_app
from pgcredits.settings import Settings
from stripe_simulator.app import create_app as create_simulator

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

KEY = "sk_test_of_the_plans"


@pytest.fixture(scope="module")
def simulator_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def shop(
    settings: Settings, simulator_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """An API whose Stripe is the simulator."""
    here = f"http://127.0.0.1:{free_port()}"
    stripe_url = f"http://127.0.0.1:{simulator_port}"
    store: Path = tmp_path_factory.mktemp("simulator") / "simulator.sqlite3"
    simulator = create_simulator(store, f"{here}/webhooks/stripe", WEBHOOK_SECRET, stripe_url)
    configured = replace(
        settings,
        public_url=here,
        stripe_secret_key=KEY,
        stripe_api_base=stripe_url,
        return_origins=("https://shop.example",),
    )
    with (
        serving(simulator, simulator_port),
        serving(create_app(configured), int(here.rpartition(":")[2])),
        httpx.Client(base_url=here, timeout=30) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def stripe_api(shop: httpx.Client, simulator_port: int) -> stripe.StripeClient:
    """Stripe, as somebody else would look at it."""
    return stripe_client(KEY, f"http://127.0.0.1:{simulator_port}")


@pytest.fixture(scope="module")
def control(shop: httpx.Client, simulator_port: int) -> Callable[[str], None]:
    """Plays a move of Stripe's."""

    def play(move: str) -> None:
        assert httpx.post(f"http://127.0.0.1:{simulator_port}/_control/{move}").is_success

    return play


@pytest.fixture(scope="module")
def plans(stripe_api: stripe.StripeClient, admin_url: str) -> Iterator[dict[str, str]]:
    """Two plans with prices at Stripe, one without, one whose price differs there; withdrawn at the end."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        prices = {}
        for plan_id, amount, sold_for in (("small", 900, 900), ("large", 2900, 2900), ("odd", 500, 700)):
            product = stripe_api.v1.products.create({"name": plan_id})
            prices[plan_id] = stripe_api.v1.prices.create(
                {
                    "product": product.id,
                    "unit_amount": sold_for,
                    "currency": "eur",
                    "recurring": {"interval": "month"},
                }
            ).id
            admin.execute(
                "select credits.define_plan(%s, %s, %s, %s, 'eur', p_rollover_percent => 50,"
                " p_stripe_price_id => %s)",
                (plan_id, plan_id.title(), amount, amount, prices[plan_id]),
            )
        admin.execute("select credits.define_plan('plain', 'Plain', 70, 700, 'eur')")
        admin.execute("select credits.define_plan('gratis', 'Gratis', 5)")
        yield prices
        admin.execute("update credits.plans set active = false")


def subscribe(shop: httpx.Client, user: User, plan_id: str, **body: Any) -> httpx.Response:
    return shop.post("/checkout", json={"plan_id": plan_id, **body}, headers=user.headers)


def wait(until: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline, f"never {what}"
        time.sleep(0.05)


def subscribed(shop: httpx.Client, user: User, plan_id: str, tokens: int) -> dict[str, Any]:
    """The user's subscription, once its first invoice is paid and told."""
    opened = subscribe(shop, user, plan_id)
    assert opened.status_code == 200, opened.text
    assert httpx.post(opened.json()["url"], data={"action": "pay"}).status_code in (302, 303)
    wait(lambda: balance(shop, user) == tokens, "granted")
    wait(lambda: mine(shop, user)["status"] == "active" and mine(shop, user)["plan_id"] == plan_id, "active")
    return mine(shop, user)


def mine(shop: httpx.Client, user: User) -> dict[str, Any]:
    rows = shop.get("/rest/v1/subscriptions", headers=user.headers).json()
    return dict(rows[0]) if rows else {"status": None, "plan_id": None}


def test_plan_is_bought_and_renewed(
    shop: httpx.Client,
    user: User,
    plans: dict[str, str],
    stripe_api: stripe.StripeClient,
    control: Callable[[str], None],
) -> None:
    bought = subscribed(shop, user, "small", 900)
    (order,) = shop.get("/rest/v1/orders", headers=user.headers).json()
    assert (order["state"], order["package_name"], order["amount"]) == ("paid", "Small", 900)
    at_stripe = stripe_api.v1.subscriptions.retrieve(bought["subscription_id"])
    assert at_stripe.metadata["plan_id"] == "small"
    control(f"subscriptions/{bought['subscription_id']}/next")
    wait(lambda: balance(shop, user) == 1800, "renewed")
    again = subscribe(shop, user, "small")
    assert (again.status_code, slug(again)) == (409, "already_subscribed")


def test_plan_without_a_price_at_stripe_is_bought_and_renewed(
    shop: httpx.Client, user: User, plans: dict[str, str], control: Callable[[str], None]
) -> None:
    bought = subscribed(shop, user, "plain", 70)
    control(f"subscriptions/{bought['subscription_id']}/next")
    wait(lambda: balance(shop, user) == 140, "renewed")


def test_customer_changes_the_plan_and_cancels_in_the_portal(
    shop: httpx.Client, user: User, plans: dict[str, str], stripe_api: stripe.StripeClient
) -> None:
    bought = subscribed(shop, user, "small", 900)
    opened = shop.post("/portal", json={"return_url": "https://shop.example/account"}, headers=user.headers)
    assert opened.status_code == 200, opened.text
    page = opened.json()["url"]
    assert httpx.get(page).status_code == 200
    (item,) = stripe_api.v1.subscriptions.retrieve(bought["subscription_id"])["items"].data
    stripe_api.v1.subscriptions.update(
        bought["subscription_id"],
        {"items": [{"id": item.id, "price": plans["large"]}], "proration_behavior": "always_invoice"},
    )
    # The whole month is left, to the second: the difference of the two allowances, or one token less.
    wait(lambda: 2898 <= balance(shop, user) <= 2900, "upgraded")
    wait(lambda: mine(shop, user)["plan_id"] == "large", "large")
    form = {"action": "cancel", "subscription": bought["subscription_id"]}
    assert httpx.post(page, data=form).status_code in (200, 302, 303)
    wait(lambda: mine(shop, user)["cancel_at_period_end"], "cancelled at the end")
    assert balance(shop, user) >= 2898


def test_failed_renewal_is_shown_with_a_page_to_pay(
    shop: httpx.Client, user: User, plans: dict[str, str], control: Callable[[str], None]
) -> None:
    bought = subscribed(shop, user, "small", 900)
    for move in ("decline", "next"):
        control(f"subscriptions/{bought['subscription_id']}/{move}")
    wait(lambda: mine(shop, user)["status"] == "past_due", "past due")
    wait(lambda: mine(shop, user)["unpaid_amount"] == 900, "told")
    assert mine(shop, user)["pay_url"].startswith("http")
    for move in ("accept", "next"):
        control(f"subscriptions/{bought['subscription_id']}/{move}")
    wait(lambda: balance(shop, user) == 1800, "recovered")
    wait(lambda: mine(shop, user)["status"] == "active" and not mine(shop, user)["unpaid_amount"], "active")


def test_price_that_differs_at_stripe_is_refused(
    shop: httpx.Client, user: User, plans: dict[str, str], stripe_api: stripe.StripeClient
) -> None:
    response = subscribe(shop, user, "odd")
    assert (response.status_code, slug(response)) == (502, "payment_failed")
    (session, *_) = stripe_api.v1.checkout.sessions.list().data
    assert session.status == "expired"


def test_repeated_key_gets_the_same_session(shop: httpx.Client, user: User, plans: dict[str, str]) -> None:
    headers = user.headers | {"Idempotency-Key": "k" * 200}
    answers = [shop.post("/checkout", json={"planId": "small"}, headers=headers).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert set(answers[0]) == {"plan_id", "session_id", "url"}


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"plan_id": "nothing"}, 404, "unknown_plan"),
        ({"plan_id": "gratis"}, 422, "bad_order"),
        ({"plan_id": "small", "pack_id": "standard"}, 422, "bad_order"),
        ({"plan_id": "small", "module_id": "metube"}, 422, "bad_order"),
        ({"plan_id": "small", "success_url": "https://evil.example"}, 422, "bad_url"),
        ({"plan_id": "small", "user_id": "somebody"}, 403, "not_yours"),
    ],
    ids=str,
)
def test_wrong_order_of_a_plan_is_refused(
    shop: httpx.Client, user: User, plans: dict[str, str], body: dict[str, Any], status: int, error: str
) -> None:
    response = shop.post("/checkout", json=body, headers=user.headers)
    assert (response.status_code, slug(response)) == (status, error)


def test_portal_is_for_customers_and_returns_only_to_known_pages(
    shop: httpx.Client, user: User, plans: dict[str, str], stripe_api: stripe.StripeClient
) -> None:
    assert slug(shop.post("/portal", json={})) == "not_signed_in"
    shop.post("/rest/v1/rpc/open_account", json={}, headers=user.headers)
    nobody = shop.post("/portal", headers=user.headers)
    assert (nobody.status_code, slug(nobody)) == (404, "no_customer")
    session_id = subscribe(shop, user, "small").json()["session_id"]
    evil = shop.post("/portal", json={"return_url": "https://evil.example/"}, headers=user.headers)
    assert (evil.status_code, slug(evil)) == (422, "bad_url")
    assert shop.post("/portal", headers=user.headers).status_code == 200
    # A customer that Stripe no longer knows.
    stripe_api.v1.customers.delete(str(stripe_api.v1.checkout.sessions.retrieve(session_id).customer))
    gone = shop.post("/portal", headers=user.headers)
    assert (gone.status_code, slug(gone)) == (404, "no_customer")
    assert subscribe(shop, user, "large").status_code == 200
    assert shop.post("/portal", headers=user.headers).status_code == 200
