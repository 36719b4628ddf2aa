"""Buying, against the Stripe simulator: order, session, payment, webhook, tokens."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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
from pgcredits.http.origins import origin_of
from pgcredits.http.payments.checkout import open_session
from pgcredits.settings import Settings
from stripe_simulator.app import create_app as create_simulator

pytestmark = pytest.mark.one_version

KEY = "sk_test_of_the_door"


@pytest.fixture(scope="module")
def simulator_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulator's file."""
    return tmp_path_factory.mktemp("simulator") / "simulator.sqlite3"


@pytest.fixture(scope="module")
def shop(settings: Settings, simulator_port: int, store: Path) -> Iterator[httpx.Client]:
    """An API whose Stripe is the simulator."""
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    stripe_url = f"http://127.0.0.1:{simulator_port}"
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
        serving(create_app(configured), port),
        httpx.Client(base_url=here, timeout=30) as client,
    ):
        yield client


@pytest.fixture
def stripe_api(shop: httpx.Client, simulator_port: int) -> stripe.StripeClient:
    """Stripe, as somebody else would look at it."""
    return stripe_client(KEY, f"http://127.0.0.1:{simulator_port}")


def buy(shop: httpx.Client, who: dict[str, str], **body: Any) -> httpx.Response:
    return shop.post("/checkout", json={"pack_id": "standard", **body}, headers=who)


def test_checkout_opens_a_session_for_an_order(
    shop: httpx.Client, user: User, stripe_api: stripe.StripeClient
) -> None:
    response = buy(shop, user.headers, module_id="stablediffusion")
    assert response.status_code == 200
    bought = response.json()
    assert set(bought) == {"order_id", "session_id", "url"}

    (order,) = shop.get("/rest/v1/orders", headers=user.headers).json()
    assert (order["order_id"], order["checkout_session_id"]) == (bought["order_id"], bought["session_id"])
    assert (order["state"], order["module_id"]) == ("pending", "stablediffusion")

    session = stripe_api.v1.checkout.sessions.retrieve(bought["session_id"], {"expand": ["line_items"]})
    assert (session.mode, session.amount_subtotal, session.currency) == ("payment", 3999, "eur")
    assert session.metadata is not None
    metadata = session.metadata.to_dict()
    assert metadata == {
        "order_id": bought["order_id"],
        "account_id": session.client_reference_id,
        "user_id": user.user_id,
        "type": "token_purchase",
        "moduleId": "stablediffusion",
        "moduleTitle": "stablediffusion",
        "userId": user.user_id,
        "tokenPackage": "Standard",
        "tokens": "500",
    }
    assert (
        session.success_url
        == f"{shop.base_url!s}".rstrip("/") + "/checkout/done?session_id={CHECKOUT_SESSION_ID}"
    )
    assert session.cancel_url == f"{shop.base_url!s}".rstrip("/") + "/checkout/cancelled"
    assert session.line_items is not None
    assert [item.description for item in session.line_items.data] == ["Standard"]


def test_payment_brings_the_tokens(shop: httpx.Client, user: User) -> None:
    bought = buy(shop, user.headers).json()
    assert balance(shop, user) == 0
    pay(shop, user, bought["url"])
    assert balance(shop, user) == 500
    (order,) = shop.get("/rest/v1/orders", headers=user.headers).json()
    assert order["state"] == "paid"


def test_events_of_a_payment_name_the_account(
    shop: httpx.Client, user: User, stripe_api: stripe.StripeClient, admin: psycopg.Connection[Any]
) -> None:
    """So events of the payment, too, belong to the user's bucket."""
    bought = buy(shop, user.headers).json()
    pay(shop, user, bought["url"])
    session = stripe_api.v1.checkout.sessions.retrieve(bought["session_id"])
    assert isinstance(session.payment_intent, str)
    intent = stripe_api.v1.payment_intents.retrieve(session.payment_intent)
    assert intent.metadata is not None
    assert intent.metadata["account_id"] == session.client_reference_id
    deadline, found = time.monotonic() + 60, {}
    while "payment_intent.succeeded" not in found:
        assert time.monotonic() < deadline, f"of {intent.id} came only {found}"
        time.sleep(0.02)
        rows = admin.execute(
            "select type, bucket from credits.stripe_events where payload #>> '{data,object,id}' in (%s, %s)",
            (session.id, intent.id),
        )
        found = dict(rows.fetchall())
    assert set(found.values()) == {int(hashlib.sha256(user.user_id.encode()).hexdigest()[:4], 16)}


def pay(shop: httpx.Client, user: User, url: str) -> None:
    """Press the button, as a person would, and wait for the webhook."""
    before = balance(shop, user)
    assert httpx.post(url, data={"action": "pay"}).status_code in (302, 303)
    deadline = time.monotonic() + 60
    while balance(shop, user) == before:
        assert time.monotonic() < deadline, "no webhook came"
        time.sleep(0.02)


def test_one_customer_per_account(shop: httpx.Client, user: User, stripe_api: stripe.StripeClient) -> None:
    sessions = [
        buy(shop, user.headers, pack_id=pack).json()["session_id"]
        for pack in ("basique", "standard", "premium")
    ]
    customers = {stripe_api.v1.checkout.sessions.retrieve(session).customer for session in sessions}
    assert len(customers) == 1
    (customer,) = customers
    assert isinstance(customer, str)
    assert stripe_api.v1.customers.retrieve(customer).metadata is not None


def test_first_checkouts_at_once_make_one_customer(
    shop: httpx.Client, user: User, stripe_api: stripe.StripeClient, admin: psycopg.Connection[Any]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: buy(shop, user.headers), range(8)))
    assert {answer.status_code for answer in answers} <= {200, 503}
    opened = [answer.json() for answer in answers if answer.status_code == 200]
    assert len({bought["session_id"] for bought in opened}) == len(opened) > 1
    assert {customer_of(stripe_api, bought) for bought in opened} == {noted_customer(admin, user)}


def test_a_repeated_key_is_one_order_and_one_session(shop: httpx.Client, user: User) -> None:
    headers = user.headers | {"Idempotency-Key": "buy-1"}
    first = buy(shop, headers).json()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: buy(shop, headers), range(8)))
    assert [answer.json() for answer in answers] == [first] * 8
    assert len(shop.get("/rest/v1/orders", headers=user.headers).json()) == 1
    response = buy(shop, headers, pack_id="premium")
    assert (response.status_code, slug(response)) == (409, "key_reused")


def test_concurrent_repeats_are_one_session(shop: httpx.Client, user: User) -> None:
    headers = user.headers | {"Idempotency-Key": "buy-at-once"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: buy(shop, headers), range(8)))
    sessions = {answer.json()["session_id"] for answer in answers if answer.status_code == 200}
    assert len(sessions) == 1
    assert {answer.status_code for answer in answers} <= {200, 503}


def test_repeat_after_a_crash_finds_the_session_again(
    shop: httpx.Client, user: User, admin: psycopg.Connection[Any]
) -> None:
    headers = user.headers | {"Idempotency-Key": "buy-crash"}
    first = buy(shop, headers).json()
    admin.execute(
        "update credits.orders set checkout_session_id = null where order_id = %s", (first["order_id"],)
    )
    assert buy(shop, headers).json() == first


def test_a_paid_order_opens_no_second_session(shop: httpx.Client, user: User) -> None:
    headers = user.headers | {"Idempotency-Key": "buy-paid"}
    pay(shop, user, buy(shop, headers).json()["url"])
    response = buy(shop, headers)
    assert (response.status_code, slug(response)) == (409, "order_closed")


def test_service_may_use_iahomes_names(shop: httpx.Client, user: User, service: dict[str, str]) -> None:
    body = {"packId": "basique", "moduleId": "whisper", "userId": user.user_id}
    assert shop.post("/checkout", json=body, headers=service).status_code == 200
    (order,) = shop.get("/rest/v1/orders", headers=user.headers).json()
    assert (order["pack_id"], order["module_id"]) == ("basique", "whisper")


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"pack_id": "nonsense"}, 404, "unknown_pack"),
        ({"pack_id": None}, 422, "bad_order"),
        ({"amount": 500}, 422, "bad_order"),
        ({"pack_id": None, "amount": -500}, 422, "bad_amount"),
        ({"pack_id": None, "amount": 9223372036854775807}, 422, "bad_amount"),
        ({"module_id": "nonsense"}, 404, "unknown_module"),
        ({"user_id": "victim"}, 403, "not_yours"),
        ({"userId": "victim"}, 403, "not_yours"),
    ],
)
def test_bad_orders_are_refused(
    shop: httpx.Client, user: User, body: dict[str, Any], status: int, expected: str
) -> None:
    response = buy(shop, user.headers, **body)
    assert (response.status_code, slug(response)) == (status, expected)
    assert shop.get("/rest/v1/orders", headers=user.headers).json() == []


@pytest.mark.parametrize("amount", ["9.99", "1e400", '"NaN"', "99999999999999999999", '"x"'])
def test_fractional_topup_amounts_are_refused(shop: httpx.Client, user: User, amount: str) -> None:
    response = shop.post("/checkout", content=f'{{"amount": {amount}}}', headers=user.headers)
    assert response.status_code in (400, 422)
    assert shop.get("/rest/v1/orders", headers=user.headers).json() == []


def test_anonymous_caller_cannot_buy(shop: httpx.Client) -> None:
    response = buy(shop, {})
    assert (response.status_code, slug(response)) == (401, "not_signed_in")


def test_return_to_an_allowed_page_is_accepted(
    shop: httpx.Client, user: User, stripe_api: stripe.StripeClient
) -> None:
    urls = {
        "success_url": "https://shop.example/ok?s={CHECKOUT_SESSION_ID}",
        "cancel_url": f"{shop.base_url}/away#x",
    }
    session = stripe_api.v1.checkout.sessions.retrieve(buy(shop, user.headers, **urls).json()["session_id"])
    assert (session.success_url, session.cancel_url) == (urls["success_url"], urls["cancel_url"])


@pytest.mark.parametrize("name", ["success_url", "cancel_url"])
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "http://shop.example/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "https://shop.example:444/",
        "//evil.example",
        "/relative",
        "javascript:alert(1)",
        "https:evil.example",
        "https://evil.example\\@shop.example/",
        "https://shop.example\\.evil.example/",
        " https://shop.example/",
        "https://shop.example/\n",
        "https://\u0455hop.example/",
        "",
        7,
        ["x"],
        "https://shop.example:x/",
        "https://[::1",
        "data:text/html,x",
    ],
)
def test_return_to_another_page_is_refused(shop: httpx.Client, user: User, name: str, url: Any) -> None:
    response = buy(shop, user.headers, **{name: url})
    assert (response.status_code, slug(response)) == (422, "bad_url")


def test_origins_are_compared_with_scheme_and_port() -> None:
    assert (
        origin_of("https://shop.example")
        == origin_of("HTTPS://SHOP.example:443/a?b#c")
        == "https://shop.example:443"
    )
    assert origin_of("http://shop.example") != origin_of("https://shop.example")


def test_nothing_is_sold_that_could_not_be_granted(settings: Settings, user: User) -> None:
    deaf = replace(settings, stripe_secret_key=KEY, stripe_webhook_secrets=())
    with serving(create_app(deaf)) as url, httpx.Client(base_url=url, timeout=30) as shop:
        response = buy(shop, user.headers)
        assert (response.status_code, slug(response)) == (503, "payment_unavailable")
        assert "STRIPE_WEBHOOK_SECRET" in response.json()["message"]
        assert shop.get("/rest/v1/orders", headers=user.headers).json() == []


@pytest.mark.slow
def test_checkout_without_stripe_is_unavailable(settings: Settings, client: httpx.Client, user: User) -> None:
    response = buy(client, user.headers)
    assert (response.status_code, slug(response)) == (503, "payment_unavailable")
    nowhere = replace(settings, stripe_secret_key=KEY, stripe_api_base="http://127.0.0.1:1")
    with serving(create_app(nowhere)) as url, httpx.Client(base_url=url, timeout=30) as shop:
        response = buy(shop, user.headers | {"Idempotency-Key": "later"})
        assert (response.status_code, slug(response)) == (503, "payment_unavailable")
        assert response.headers["retry-after"]
        (order,) = shop.get("/rest/v1/orders", headers=user.headers).json()
        assert (order["state"], order["checkout_session_id"]) == ("pending", None)


def test_refusal_by_stripe_is_payment_failed(
    settings: Settings, user: User, simulator_port: int, shop: httpx.Client
) -> None:
    wrong = replace(
        settings, stripe_secret_key="rk_test_of_nobody", stripe_api_base=f"http://127.0.0.1:{simulator_port}"
    )
    with serving(create_app(wrong)) as url, httpx.Client(base_url=url, timeout=30) as broken:
        response = buy(broken, user.headers | {"Idempotency-Key": "refused"})
        assert (response.status_code, slug(response)) == (502, "payment_failed")
    # The same call goes on where it stopped.
    assert buy(shop, user.headers | {"Idempotency-Key": "refused"}).status_code == 200
    assert len(shop.get("/rest/v1/orders", headers=user.headers).json()) == 1


# Prices that Stripe keeps


@pytest.fixture
def priced(admin: psycopg.Connection[Any]) -> Iterator[Callable[[str], str]]:
    """priced(price_id): a pack of 10 tokens for 5 EUR with that price at Stripe, withdrawn at the end."""
    pack_id = f"priced-{time.time_ns()}"
    define = (
        "select credits.define_pack(%s, 'Priced', 10, 500, 'eur', p_stripe_price_id => %s, p_active => %s)"
    )

    def pack(price_id: str) -> str:
        admin.execute(define, (pack_id, price_id, True))
        return pack_id

    yield pack
    admin.execute(define, (pack_id, "price_0", False))


def stripes_price(stripe_api: stripe.StripeClient, amount: int, currency: str) -> str:
    product = stripe_api.v1.products.create({"name": "Ten tokens"})
    return stripe_api.v1.prices.create(
        {"product": product.id, "unit_amount": amount, "currency": currency}
    ).id


def test_pack_is_sold_at_its_price_at_stripe(
    shop: httpx.Client, user: User, stripe_api: stripe.StripeClient, priced: Callable[[str], str]
) -> None:
    price_id = stripes_price(stripe_api, 500, "eur")
    bought = buy(shop, user.headers, pack_id=priced(price_id)).json()
    session = stripe_api.v1.checkout.sessions.retrieve(bought["session_id"], {"expand": ["line_items"]})
    assert session.line_items is not None
    assert [item.price and item.price.id for item in session.line_items.data] == [price_id]
    pay(shop, user, bought["url"])
    assert balance(shop, user) == 10


@pytest.mark.parametrize(("amount", "currency"), [(499, "eur"), (501, "eur"), (500, "usd")])
def test_another_price_at_stripe_is_refused_before_anybody_pays(
    shop: httpx.Client,
    user: User,
    stripe_api: stripe.StripeClient,
    priced: Callable[[str], str],
    caplog: pytest.LogCaptureFixture,
    amount: int,
    currency: str,
) -> None:
    price_id = stripes_price(stripe_api, amount, currency)
    pack_id = priced(price_id)
    headers = user.headers | {"Idempotency-Key": "buy-priced"}
    response = buy(shop, headers, pack_id=pack_id)
    assert (response.status_code, slug(response)) == (502, "payment_failed")
    assert "url" not in response.json()
    order_id = json.loads(response.json()["details"])["order_id"]
    assert (
        f"order {order_id}: ordered for 500 eur, but at Stripe {price_id} is {amount} {currency}"
        in caplog.text
    )

    (session,) = (
        session
        for session in stripe_api.v1.checkout.sessions.list().data
        if session.metadata is not None and session.metadata["order_id"] == order_id
    )
    assert (session.status, session.payment_status) == ("expired", "unpaid")
    # Stripe says so, and the order is over; the same call stays refused, a new one goes by the new price.
    wait_for_state(shop, user, "expired")
    again = buy(shop, headers, pack_id=pack_id)
    assert (again.status_code, slug(again)) == (409, "order_closed")
    assert balance(shop, user) == 0
    priced(stripes_price(stripe_api, 500, "eur"))
    assert buy(shop, user.headers, pack_id=pack_id).status_code == 200


def wait_for_state(shop: httpx.Client, user: User, state: str) -> None:
    deadline = time.monotonic() + 60
    while [order["state"] for order in shop.get("/rest/v1/orders", headers=user.headers).json()] != [state]:
        assert time.monotonic() < deadline, f"never {state}"
        time.sleep(0.02)


def test_unknown_price_at_stripe_is_payment_failed(
    shop: httpx.Client, user: User, priced: Callable[[str], str], caplog: pytest.LogCaptureFixture
) -> None:
    response = buy(shop, user.headers, pack_id=priced("price_unheard_of"))
    assert (response.status_code, slug(response)) == (502, "payment_failed")
    assert "Stripe has no price price_unheard_of for Priced" in caplog.text


# What is gone at Stripe


def customer_of(stripe_api: stripe.StripeClient, bought: dict[str, Any]) -> str:
    return str(stripe_api.v1.checkout.sessions.retrieve(bought["session_id"]).customer)


def noted_customer(admin: psycopg.Connection[Any], user: User) -> str | None:
    row = admin.execute(
        "select a.stripe_customer_id from credits.accounts as a join credits.identities as i"
        " on i.account_id = a.account_id where i.subject = %s",
        (user.user_id,),
    ).fetchone()
    assert row is not None
    return row[0]


def test_deleted_customer_is_replaced(
    shop: httpx.Client, user: User, stripe_api: stripe.StripeClient, admin: psycopg.Connection[Any]
) -> None:
    seen = []
    for _ in range(3):
        bought = buy(shop, user.headers)
        assert bought.status_code == 200
        customer = customer_of(stripe_api, bought.json())
        assert noted_customer(admin, user) == customer
        assert customer_of(stripe_api, buy(shop, user.headers).json()) == customer
        seen.append(customer)
        stripe_api.v1.customers.delete(customer)
    assert len(set(seen)) == 3
    pay(shop, user, buy(shop, user.headers).json()["url"])
    assert balance(shop, user) == 500


def test_a_customer_of_another_mode_is_replaced(
    shop: httpx.Client, user: User, stripe_api: stripe.StripeClient, admin: psycopg.Connection[Any]
) -> None:
    buy(shop, user.headers)
    admin.execute(
        "update credits.accounts as a set stripe_customer_id = 'cus_of_test_mode'"
        " from credits.identities as i where i.account_id = a.account_id and i.subject = %s",
        (user.user_id,),
    )
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: buy(shop, user.headers), range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    customers = {customer_of(stripe_api, answer.json()) for answer in answers}
    assert customers == {noted_customer(admin, user)}
    assert "cus_of_test_mode" not in customers


def test_customer_deleted_before_it_was_noted_is_replaced(
    shop: httpx.Client, user: User, stripe_api: stripe.StripeClient, admin: psycopg.Connection[Any]
) -> None:
    """For a day Stripe answers its key as if the customer still existed."""
    gone = customer_of(stripe_api, buy(shop, user.headers).json())
    admin.execute(
        "update credits.accounts set stripe_customer_id = null where stripe_customer_id = %s", (gone,)
    )
    stripe_api.v1.customers.delete(gone)
    bought = buy(shop, user.headers)
    assert bought.status_code == 200
    assert customer_of(stripe_api, bought.json()) == noted_customer(admin, user) != gone


def test_session_unknown_to_stripe_ends_its_order(
    shop: httpx.Client, user: User, admin: psycopg.Connection[Any]
) -> None:
    headers = user.headers | {"Idempotency-Key": "buy-other-mode"}
    first = buy(shop, headers).json()
    admin.execute(
        "update credits.orders set checkout_session_id = 'cs_test_of_another_mode' where order_id = %s",
        (first["order_id"],),
    )
    for _ in range(2):
        response = buy(shop, headers)
        assert (response.status_code, slug(response)) == (409, "order_closed")
        wait_for_state(shop, user, "expired")
    assert buy(shop, user.headers).status_code == 200


def test_corrected_price_is_found_by_the_same_call(
    shop: httpx.Client,
    user: User,
    stripe_api: stripe.StripeClient,
    store: Path,
    priced: Callable[[str], str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """For a day Stripe repeats the refusal for the key, so the API tries again with a new key."""
    product = stripe_api.v1.products.create({"name": "Ten tokens"})
    price = stripe_api.v1.prices.create(
        {"product": product.id, "unit_amount": 500, "currency": "eur", "active": False}
    )
    pack_id = priced(price.id)
    headers = user.headers | {"Idempotency-Key": "buy-mended"}
    for _ in range(2):
        response = buy(shop, headers, pack_id=pack_id)
        assert (response.status_code, slug(response)) == (502, "payment_failed")
    assert "inactive" in caplog.text
    with sqlite3.connect(store) as file:
        file.execute(
            "update objects set body = json_set(body, '$.active', json('true')) where id = ?", (price.id,)
        )
    file.close()
    assert buy(shop, headers, pack_id=pack_id).status_code == 200
    assert len(shop.get("/rest/v1/orders", headers=user.headers).json()) == 1


# Orders that have lapsed


def test_an_order_that_lapses_while_stripe_is_asked_is_paid_by_nobody(
    shop: httpx.Client,
    user: User,
    stripe_api: stripe.StripeClient,
    priced: Callable[[str], str],
    admin: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pack_id = priced(stripes_price(stripe_api, 500, "eur"))
    made = []

    async def slow(client: Any, order: Any, wishes: Any) -> Any:
        session = await open_session(client, order, wishes)
        made.append(session.id)
        admin.execute("update credits.packs set active = false where pack_id = %s", (pack_id,))
        return session

    monkeypatch.setattr("pgcredits.http.routes.checkout.open_session", slow)
    response = buy(shop, user.headers, pack_id=pack_id)
    assert (response.status_code, slug(response)) == (409, "order_closed")
    assert "url" not in response.json()
    assert [stripe_api.v1.checkout.sessions.retrieve(session).status for session in made] == ["expired"]


@pytest.mark.slow
def test_an_old_order_is_closed_and_leaves_room_for_another(
    shop: httpx.Client, user: User, admin: psycopg.Connection[Any], settings: Settings
) -> None:
    headers = user.headers | {"Idempotency-Key": "buy-late"}
    nowhere = replace(settings, stripe_secret_key=KEY, stripe_api_base="http://127.0.0.1:1")
    with serving(create_app(nowhere)) as url, httpx.Client(base_url=url, timeout=30) as unlucky:
        assert buy(unlucky, headers).status_code == 503
    admin.execute(
        "update credits.orders as o set created_at = o.created_at - interval '1 hour' from credits.identities"
        " as i where i.account_id = o.account_id and i.subject = %s",
        (user.user_id,),
    )
    response = buy(shop, headers)
    assert (response.status_code, slug(response)) == (409, "order_closed")
    assert buy(shop, user.headers | {"Idempotency-Key": "buy-anew"}).status_code == 200


@pytest.mark.slow
def test_unusable_order_does_not_stay_pending(shop: httpx.Client, user: User, settings: Settings) -> None:
    """Stripe was unavailable, and the call had no key. So the next call makes another order."""
    nowhere = replace(settings, stripe_secret_key=KEY, stripe_api_base="http://127.0.0.1:1")
    with serving(create_app(nowhere)) as url, httpx.Client(base_url=url, timeout=30) as unlucky:
        assert buy(unlucky, user.headers).status_code == 503
    wait_for_state(shop, user, "expired")


def test_too_many_pending_orders_are_refused_with_a_time_to_come_back(shop: httpx.Client, user: User) -> None:
    for _ in range(20):
        shop.post(
            "/rest/v1/rpc/create_order", json={"pack_id": "standard"}, headers=user.headers
        ).raise_for_status()
    response = buy(shop, user.headers)
    assert (response.status_code, slug(response)) == (429, "too_many_orders")
    assert 3500 < int(response.headers["retry-after"]) <= 3600


@pytest.mark.parametrize("page", ["done?session_id=cs_test_1", "cancelled"])
def test_return_pages_are_safe(client: httpx.Client, page: str) -> None:
    response = client.get(f"/checkout/{page}")
    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "cs_test_1" not in response.text
    style = client.get("/checkout/pages.css")
    assert (style.status_code, style.headers["content-type"].partition(";")[0]) == (200, "text/css")
