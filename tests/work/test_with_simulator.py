"""Automatic top-ups as people see them: the API, a worker, and the Stripe simulator with its test cards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from callers import Caller, Connection
from http_calls import SECRET, WEBHOOK_SECRET, User, bearer, serving
from support import PASSWORD, free_port
from work.test_worker import working

from pgcredits.bank.stripe_pull import pull, stripe_reader
from pgcredits.database_urls import as_login
from pgcredits.http.app import create_app
from pgcredits.settings import Settings
from stripe_simulator.app import create_app as create_simulator

pytestmark = pytest.mark.slow

PAID, DECLINED, ASKS = "4242424242424242", "4000000000000341", "4000002500003155"
AGREED = {"threshold": 50, "pack_id": "basique", "monthly_limit": 3000, "words": "Top me up."}


@dataclass(frozen=True)
class Shop:
    """The API, and its bank."""

    client: httpx.Client
    bank: Caller
    stripe_url: str
    service_url: str

    def chaos(self, **shares: float) -> None:
        """How the simulator sends its events from now on."""
        httpx.post(f"{self.stripe_url}/_control/chaos", json={"seed": 1} | shares).raise_for_status()

    def topup(self, user: User) -> dict[str, Any]:
        (state,) = self.client.get("/rest/v1/auto_topup", headers=user.headers).json()
        return dict(state)

    def balance(self, user: User) -> Any:
        (row,) = self.client.get("/rest/v1/balance", headers=user.headers).json()
        return row["balance"]

    def spend(self, user: User, times: int) -> None:
        for _ in range(times):
            self.client.post(
                "/rest/v1/rpc/consume_tokens", json={"module_id": "metube"}, headers=user.headers
            ).raise_for_status()

    def until(self, check: Callable[[], Any], what: str) -> None:
        deadline = time.monotonic() + 30
        while not check():
            assert time.monotonic() < deadline, what
            time.sleep(0.05)


@pytest.fixture
def shop(db: Connection, url: str, tmp_path: Path) -> Iterator[Shop]:
    port, stripe_port = free_port(), free_port()
    here, stripe_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{stripe_port}"
    settings = Settings(
        api_database_url=as_login(url, "pgcredits_api", PASSWORD),
        service_database_url=as_login(url, "pgcredits_service", PASSWORD),
        jwt_secret=SECRET,
        stripe_webhook_secrets=(WEBHOOK_SECRET,),
        pool_size=4,
    )
    configured = replace(
        settings, public_url=here, stripe_secret_key="sk_test_of_the_shop", stripe_api_base=stripe_url
    )
    simulator = create_simulator(
        tmp_path / "simulator.sqlite3", f"{here}/webhooks/stripe", WEBHOOK_SECRET, stripe_url
    )
    with (
        serving(simulator, stripe_port),
        serving(create_app(configured), port),
        working(url, stripe_url, tmp_path / "worker.log"),
        httpx.Client(base_url=here, timeout=30) as client,
    ):
        bank = Caller(db, "none")
        yield Shop(client, bank, stripe_url, settings.service_database_url)
        assert bank.rows("select * from audit.findings") == []


@pytest.fixture
def ada() -> User:
    return User("ada", bearer("authenticated", "ada"))


def agree(shop: Shop, user: User, card: str, **body: Any) -> None:
    """The user agrees, and saves this card on the page that opens."""
    opened = shop.client.post("/checkout", json={"auto_topup": AGREED} | body, headers=user.headers)
    opened.raise_for_status()
    assert shop.topup(user)["state"] == "waiting"
    press(opened.json()["url"], "pay", card)
    if card == ASKS:
        press(opened.json()["url"], "authenticate")
    shop.until(lambda: shop.topup(user)["state"] == "on", "the card is saved")


def press(page: str, button: str, card: str | None = None) -> None:
    form = {"action": button} | ({"card": card} if card else {})
    assert httpx.post(page, data=form).status_code in (302, 303)


def test_purchase_with_consent_is_topped_up_by_spending(shop: Shop, ada: User) -> None:
    agree(shop, ada, PAID, pack_id="basique")
    shop.until(lambda: shop.balance(ada) == 100, "the purchase is granted")
    shop.spend(ada, 6)
    shop.until(lambda: shop.balance(ada) == 140, "the top-up is granted")
    state = shop.topup(ada)
    assert (state["state"], state["charged_this_month"], state["waits_for"]) == ("on", 999, "balance")
    orders = shop.client.get("/rest/v1/orders", headers=ada.headers).json()
    assert [order["state"] for order in orders] == ["paid", "paid"]


def test_declined_card_is_told_and_waits(shop: Shop, ada: User) -> None:
    agree(shop, ada, DECLINED)
    shop.bank.call("add_tokens", user_id="ada", tokens=60)
    shop.spend(ada, 2)
    shop.until(lambda: shop.topup(ada)["declines"] == 1, "the decline is reported")
    assert shop.topup(ada)["waits_for"] == "cooldown"
    (notice,) = shop.client.get("/rest/v1/notices?kind=eq.top_up_failed", headers=ada.headers).json()
    assert notice["facts"]["reason"] == "generic_decline"
    assert shop.balance(ada) == 40


def test_card_that_asks_its_owner_is_confirmed_by_the_link(shop: Shop, ada: User) -> None:
    agree(shop, ada, ASKS)
    shop.bank.call("add_tokens", user_id="ada", tokens=60)
    shop.spend(ada, 2)
    shop.until(lambda: shop.topup(ada)["link"] is not None, "the link is there")
    state = shop.topup(ada)
    assert (state["state"], state["reason"]) == ("paused", "authentication_required")
    press(state["link"], "pay", PAID)
    shop.until(lambda: shop.topup(ada)["state"] == "on", "another card is saved")
    shop.spend(ada, 1)
    shop.until(lambda: shop.balance(ada) == 130, "the top-up is granted")


def test_refund_on_request_takes_tokens_and_money(shop: Shop, ada: User) -> None:
    agree(shop, ada, PAID, pack_id="standard")
    shop.until(lambda: shop.balance(ada) == 500, "the purchase is granted")
    (order,) = shop.client.get("/rest/v1/orders", headers=ada.headers).json()
    asked = shop.client.post(
        "/rest/v1/rpc/request_refund",
        json={"user_id": "ada", "order_id": order["order_id"], "amount": 3999},
        headers=bearer("service_role"),
    )
    asked.raise_for_status()
    shop.until(lambda: shop.balance(ada) == 0, "the tokens have gone with the money")
    (request,) = shop.client.get("/rest/v1/refund_requests", headers=bearer("service_role")).json()
    assert request["state"] == "refunded"

    # And now ada asks to be forgotten, at Stripe, too.
    found = shop.bank.row("select account_id, stripe_customer_id as customer from credits.accounts")
    shop.until(lambda: forgotten(shop, "ada"), "nothing stands in the way")
    at_stripe = f"{shop.stripe_url}/v1/customers/{found['customer']}"
    key = {"Authorization": "Bearer sk_test_of_the_shop"}
    shop.until(lambda: httpx.get(at_stripe, headers=key).json().get("deleted"), "the worker deletes her")
    asked_for = "select params, result, state from credits.stripe_calls where kind = 'delete_customer'"
    done = [{"params": {}, "result": None, "state": "done"}]
    shop.until(lambda: shop.bank.rows(asked_for) == done, "the bank forgets the customer's id")
    assert shop.bank.rows("select account_id from api.forgotten_users") == [
        {"account_id": found["account_id"]}
    ]


def forgotten(shop: Shop, user_id: str) -> bool:
    answer = shop.client.post(
        "/rest/v1/rpc/forget_user", json={"user_id": user_id}, headers=bearer("service_role")
    )
    return answer.status_code == 200


def test_lost_event_of_a_charge_is_pulled(shop: Shop, ada: User) -> None:
    agree(shop, ada, PAID)
    shop.bank.call("add_tokens", user_id="ada", tokens=60)
    shop.chaos(drop=1)
    shop.spend(ada, 2)
    charged = "select from credits.stripe_calls where kind = 'charge' and state = 'done'"
    shop.until(lambda: shop.bank.rows(charged), "the card is charged")
    assert (shop.balance(ada), shop.topup(ada)["waits_for"]) == (40, "in_flight")
    with stripe_reader("rk_test_of_the_shop", shop.stripe_url) as client:
        pulled = pull(shop.service_url, client, say=lambda text: None)
    assert pulled.applied["granted"] == 1
    assert (shop.balance(ada), shop.topup(ada)["waits_for"]) == (140, "balance")
