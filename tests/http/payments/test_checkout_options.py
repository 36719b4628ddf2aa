"""What Checkout does besides taking the payment: the request that Stripe gets, for each setting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import httpx
import psycopg
import pytest
from http_calls import WEBHOOK_SECRET, User, balance, serving, sign, slug
from http_orders import event
from litestar import Litestar, Request, post

from pgcredits.http.app import create_app
from pgcredits.settings import CHECKOUT_OPTIONS, CheckoutOption, Settings

pytestmark = pytest.mark.one_version

Form = dict[str, str]


class Desk:
    """A Stripe that writes down what it is asked, and opens any session."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Form]] = []

    @property
    def session(self) -> Form:
        """The last request for a session."""
        return next(form for path, form in reversed(self.asked) if path.endswith("sessions"))

    def app(self) -> Litestar:
        @post(["/v1/customers", "/v1/checkout/sessions"], status_code=200)
        async def make(request: Request[Any, Any, Any]) -> dict[str, Any]:
            form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
            self.asked.append((request.url.path, form))
            if request.url.path == "/v1/customers":
                return {"id": f"cus_{len(self.asked)}", "object": "customer"}
            item = "line_items[0][price_data]"
            return {
                "id": f"cs_test_{form['metadata[order_id]']}",
                "object": "checkout.session",
                "url": "https://pay.example/",
                "status": "open",
                "customer": form["customer"],
                "amount_subtotal": int(form[f"{item}[unit_amount]"]),
                "currency": form[f"{item}[currency]"],
            }

        return Litestar([make])


@contextmanager
def shop_of(settings: Settings, *options: CheckoutOption) -> Iterator[tuple[httpx.Client, Desk]]:
    desk = Desk()
    with serving(desk.app()) as stripe_url:
        configured = replace(
            settings,
            stripe_secret_key="sk_test_of_the_desk",
            stripe_webhook_secrets=(WEBHOOK_SECRET,),
            stripe_api_base=stripe_url,
            checkout=frozenset(options),
        )
        with serving(create_app(configured)) as url, httpx.Client(base_url=url, timeout=20) as client:
            yield client, desk


def buy(shop: httpx.Client, user: User, **body: Any) -> httpx.Response:
    return shop.post("/checkout", json={"pack_id": "standard", **body}, headers=user.headers)


ADDS: dict[CheckoutOption, Form] = {
    "invoices": {"invoice_creation[enabled]": "true"},
    "receipts": {},
    "tax": {
        "automatic_tax[enabled]": "true",
        "customer_update[address]": "auto",
        "customer_update[name]": "auto",
    },
    "tax_ids": {
        "tax_id_collection[enabled]": "true",
        "customer_update[address]": "auto",
        "customer_update[name]": "auto",
    },
    "promotion_codes": {"allow_promotion_codes": "true"},
    "saved_cards": {"saved_payment_method_options[payment_method_save]": "enabled"},
}


def of_this_checkout(form: Form) -> Form:
    """The request without what every checkout has."""
    every = ("mode", "line_items", "customer", "client_reference_id", "metadata", "success_url", "cancel_url")
    return {
        name: value
        for name, value in form.items()
        if name.partition("[")[0] not in every and "[metadata]" not in name
    }


@pytest.mark.parametrize("option", CHECKOUT_OPTIONS)
def test_each_option_adds_only_its_own(settings: Settings, user: User, option: CheckoutOption) -> None:
    with shop_of(settings, option) as (shop, desk):
        assert buy(shop, user).status_code == 200
        assert of_this_checkout(desk.session) == ADDS[option]


def test_all_options_work_together(settings: Settings, user: User) -> None:
    with shop_of(settings, *CHECKOUT_OPTIONS) as (shop, desk):
        assert buy(shop, user, receipt_email="a@example.org", save_card=True).status_code == 200
        expected: Form = {}
        for added in ADDS.values():
            expected |= added
        assert of_this_checkout(desk.session) == expected | {
            "payment_intent_data[receipt_email]": "a@example.org",
            "payment_intent_data[setup_future_usage]": "off_session",
        }


def test_payment_and_invoice_name_the_order_account_and_user(settings: Settings, user: User) -> None:
    with shop_of(settings, "invoices") as (shop, desk):
        bought = buy(shop, user).json()
        form = desk.session
    for place in ("metadata", "payment_intent_data[metadata]", "invoice_creation[invoice_data][metadata]"):
        named = [form[f"{place}[{name}]"] for name in ("order_id", "account_id", "user_id")]
        assert named == [bought["order_id"], form["client_reference_id"], user.user_id]


def test_plain_checkout_saves_no_card_and_sends_no_receipt(settings: Settings, user: User) -> None:
    with shop_of(settings) as (shop, desk):
        assert buy(shop, user, receipt_email="a@example.org", save_card=False).status_code == 200
        assert of_this_checkout(desk.session) == {}
        response = buy(shop, user, save_card=True)
        assert (response.status_code, slug(response)) == (422, "bad_argument")


@pytest.mark.parametrize("save_card", ["yes", 1, {}, "true"])
def test_consent_to_save_a_card_is_said_plainly(settings: Settings, user: User, save_card: Any) -> None:
    with shop_of(settings, "saved_cards") as (shop, desk):
        response = buy(shop, user, save_card=save_card)
        assert (response.status_code, slug(response)) == (422, "bad_argument")
        assert desk.asked == []


@pytest.mark.parametrize("email", ["nobody", 7, "a b@example.org", "@example.org", ["a@example.org"]])
def test_receipts_go_to_an_address(settings: Settings, user: User, email: Any) -> None:
    with shop_of(settings, "receipts") as (shop, desk):
        response = buy(shop, user, receipt_email=email)
        assert (response.status_code, slug(response)) == (422, "bad_email")
        assert desk.asked == []


def test_long_titles_fit_into_what_stripe_takes(
    settings: Settings, user: User, admin: psycopg.Connection[Any]
) -> None:
    define = "select credits.define_pack('long title', %s, 10, 500, 'eur', p_active => %s)"
    admin.execute(define, ("T" * 1000, True))
    with shop_of(settings) as (shop, desk):
        assert buy(shop, user, pack_id="long title").status_code == 200
        assert len(desk.session["line_items[0][price_data][product_data][name]"]) == 250
        assert max(len(value) for name, value in desk.session.items() if "metadata" in name) == 500
    admin.execute(define, ("T" * 1000, False))


# Total, tax, discount: a tax on top, an included tax, a discount, tax and discount, a code for everything.
PAID = [(4799, 800, 0), (3999, 639, 0), (2999, 0, 1000), (3599, 600, 1000), (0, 0, 3999)]


@pytest.mark.parametrize(("total", "tax", "discount"), PAID)
def test_tax_and_discount_change_the_cost_and_never_the_tokens(
    settings: Settings,
    user: User,
    admin: psycopg.Connection[Any],
    total: int,
    tax: int,
    discount: int,
) -> None:
    with shop_of(settings, "tax", "promotion_codes") as (shop, _):
        bought = buy(shop, user).json()
        (order,) = shop.get("/rest/v1/orders", headers=user.headers).json()
        account_id = admin.execute(
            "select account_id::text from credits.identities where subject = %s", (user.user_id,)
        ).fetchone()
        assert account_id is not None
        session = {
            "id": bought["session_id"],
            "object": "checkout.session",
            "client_reference_id": account_id[0],
            "metadata": {"order_id": bought["order_id"]},
            "mode": "payment",
            "status": "complete",
            "payment_status": "paid" if total else "no_payment_required",
            "payment_intent": f"pi_{bought['order_id']}" if total else None,
            "currency": order["currency"],
            "amount_subtotal": order["amount"],
            "amount_total": total,
            "total_details": {"amount_tax": tax, "amount_discount": discount, "amount_shipping": 0},
        }
        body = event("checkout.session.completed", session)
        told = shop.post("/webhooks/stripe", content=body, headers=sign(body)).json()
        assert told["outcome"] == "granted"
        assert balance(shop, user) == 500
    row = admin.execute(
        "select granted * unit_cost from credits.lots where account_id = %s", (account_id[0],)
    ).fetchone()
    assert row is not None
    assert row[0] == Decimal(3999 - discount)


AGREED = {"threshold": 50, "pack_id": "basique", "monthly_limit": 3000, "words": "Top me up."}


def test_agreement_to_topups_saves_the_card_and_is_named_on_the_payment(
    settings: Settings, user: User
) -> None:
    with shop_of(settings) as (shop, desk):
        assert buy(shop, user, auto_topup=AGREED).status_code == 200
        form = desk.session
        (state,) = shop.get("/rest/v1/auto_topup", headers=user.headers).json()
        (agreed,) = shop.get("/rest/v1/auto_topup_history", headers=user.headers).json()
    assert form["payment_intent_data[setup_future_usage]"] == "off_session"
    assert len(form["payment_intent_data[metadata][consent_id]"]) == 36
    assert "metadata[consent_id]" not in form
    assert (state["state"], state["threshold"], state["amount"]) == ("waiting", 50, 999)
    assert (agreed["event"], agreed["words"]) == ("consent", "Top me up.")


@pytest.mark.parametrize(
    ("agreed", "answer"),
    [
        (AGREED | {"words": ""}, (422, "bad_consent")),
        ({"threshold": 50, "pack_id": "basique", "monthly_limit": 3000}, (404, None)),
        (AGREED | {"monthly_limit": 998}, (422, "bad_limit")),
        (AGREED | {"threshold": 101}, (422, "bad_threshold")),
        (AGREED | {"pack_id": "nothing"}, (404, "unknown_pack")),
        (AGREED | {"amount": 500}, (422, "bad_order")),
        (AGREED | {"payment_method_id": "pm_of_somebody"}, (400, "bad_request")),
        (AGREED | {"user_id": "somebody"}, (400, "bad_request")),
        ("yes", (400, None)),
        (True, (400, None)),
    ],
)
def test_agreement_that_makes_no_sense_opens_nothing(
    settings: Settings, user: User, agreed: Any, answer: tuple[int, str | None]
) -> None:
    with shop_of(settings) as (shop, desk):
        response = buy(shop, user, auto_topup=agreed)
        assert (response.status_code, slug(response)) == answer
        assert desk.asked == []
        assert shop.get("/rest/v1/orders", headers=user.headers).json() == []
