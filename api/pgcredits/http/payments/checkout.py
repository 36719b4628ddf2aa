"""Checkout at Stripe: the session of an order, and the customer. A customer who was deleted is replaced.

A call can fail after it has made something at Stripe and before it has noted it. The idempotency keys make
the repeated call find it. Stripe repeats the first answer to a key for a day, whatever has happened since. So
a customer who replaces another has a key of their own, and a repeated refusal is tried again with a new key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol
from uuid import uuid4

import msgspec
import stripe
from stripe.params.checkout import (
    SessionCreateParams,
    SessionCreateParamsLineItem,
    SessionCreateParamsLineItemPriceData,
    SessionCreateParamsLineItemPriceDataRecurring,
    SessionCreateParamsPaymentIntentData,
)

from pgcredits.http.errors import log
from pgcredits.settings import CheckoutOption

_CUSTOMERS = 3  # the known one, the one that its key repeats, a new one
_LONGEST_NAME = 250  # characters that Stripe takes as the name of what is sold
_LONGEST_VALUE = 500  # characters that it takes as a value of metadata


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the buyer wants this checkout, and what the operator has switched on."""

    success_url: str
    cancel_url: str
    save_card: bool = False  # the user consents that the card is charged later, without being asked
    receipt_email: str | None = None
    options: frozenset[CheckoutOption] = frozenset()
    consent_id: str | None = None  # to automatic top-ups, which charge the card that is saved


class Person(Protocol):
    """Whom a customer at Stripe is made for."""

    @property
    def account_id(self) -> str: ...
    @property
    def user_id(self) -> str: ...


class Buyer(Person, Protocol):
    """Who pays, and the customer that they are already, if any."""

    @property
    def stripe_customer_id(self) -> str | None: ...


class Priced(Protocol):
    """What is sold: its price at Stripe, if it has one, or an amount in minor units of a currency."""

    @property
    def stripe_price_id(self) -> str | None: ...
    @property
    def amount(self) -> int: ...
    @property
    def currency(self) -> str: ...


class Order(msgspec.Struct, frozen=True):
    """The part of api.order_receipt that Stripe needs. amount is in minor units of currency."""

    order_id: str
    account_id: str
    user_id: str
    package_name: str
    module_id: str | None
    tokens: Decimal
    bonus_tokens: Decimal
    amount: int
    currency: str
    state: str
    stripe_price_id: str | None
    stripe_customer_id: str | None
    checkout_session_id: str | None


async def find_session(client: stripe.StripeClient, order: Order) -> stripe.checkout.Session | None:
    """The session of the order. None when Stripe does not know it, as after a change of the key."""
    try:
        return await client.v1.checkout.sessions.retrieve_async(order.checkout_session_id or "")
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise
        log.error("order %s: Stripe does not know its session: %s", order.order_id, error)
        return None


async def open_session(client: stripe.StripeClient, order: Order, wishes: Wishes) -> stripe.checkout.Session:
    """A session for an order that has none."""

    async def make(customer_id: str) -> stripe.checkout.Session:
        key = f"checkout:{order.order_id}:{customer_id}"
        return await new_session(client, _session_params(order, customer_id, wishes), key)

    return await with_customer(client, order, make)


async def with_customer(
    client: stripe.StripeClient, buyer: Buyer, make: Callable[[str], Awaitable[stripe.checkout.Session]]
) -> stripe.checkout.Session:
    """Call `make` with the buyer's customer. A customer who was deleted is replaced."""
    customer_id = buyer.stripe_customer_id or await new_customer(client, buyer, None)
    for _ in range(_CUSTOMERS - 1):
        try:
            return await make(customer_id)
        except stripe.InvalidRequestError as error:
            if (error.code, error.param) != ("resource_missing", "customer"):
                raise
            log.warning("account %s: a new customer replaces %s: %s", buyer.account_id, customer_id, error)
            customer_id = await new_customer(client, buyer, customer_id)
    return await make(customer_id)


async def end_session(client: stripe.StripeClient, session: stripe.checkout.Session) -> None:
    """Nobody must pay this session, and nobody knows its address. If this fails, Stripe ends it in a day."""
    try:
        await client.v1.checkout.sessions.expire_async(session.id)
    except stripe.StripeError as error:
        log.warning("session %s was not expired: %s", session.id, error)


async def new_customer(client: stripe.StripeClient, buyer: Person, gone: str | None) -> str:
    """The customer of an account that has none, or in place of one that is gone."""
    key = f"customer:{buyer.account_id}" + (f":{gone}" if gone else "")
    params: stripe.params.CustomerCreateParams = {
        "metadata": {"account_id": buyer.account_id, "user_id": buyer.user_id}
    }
    try:
        customer = await client.v1.customers.create_async(params, {"idempotency_key": key})
    except stripe.StripeError as error:
        key = _another_try(key, error)
        customer = await client.v1.customers.create_async(params, {"idempotency_key": key})
    return customer.id


async def new_session(
    client: stripe.StripeClient, params: SessionCreateParams, key: str
) -> stripe.checkout.Session:
    """Make a session, once for each idempotency key."""
    try:
        return await client.v1.checkout.sessions.create_async(params, {"idempotency_key": key})
    except stripe.StripeError as error:
        key = _another_try(key, error)
        return await client.v1.checkout.sessions.create_async(params, {"idempotency_key": key})


def _another_try(key: str, error: stripe.StripeError) -> str:
    """A new key, when Stripe repeated an old refusal whose cause may be gone. Else raises the error."""
    if {name.lower(): value for name, value in dict(error.headers or {}).items()}.get(
        "idempotent-replayed"
    ) != "true":
        raise error
    return f"{key}:{uuid4()}"


def _session_params(order: Order, customer_id: str, wishes: Wishes) -> SessionCreateParams:
    metadata = _metadata(order)
    params: SessionCreateParams = {
        "mode": "payment",
        "line_items": [line_item(order, order.package_name)],
        "customer": customer_id,
        "client_reference_id": order.account_id,
        "metadata": metadata,
        "payment_intent_data": _payment(metadata, wishes),
        "success_url": wishes.success_url,
        "cancel_url": wishes.cancel_url,
    }
    if "invoices" in wishes.options:
        params["invoice_creation"] = {"enabled": True, "invoice_data": {"metadata": metadata}}
    add_options(params, wishes)
    if "saved_cards" in wishes.options:
        # The page asks the buyer. What was saved is offered on the page of the next purchase.
        params["saved_payment_method_options"] = {"payment_method_save": "enabled"}
    return params


def line_item(
    sold: Priced, name: str, recurring: SessionCreateParamsLineItemPriceDataRecurring | None = None
) -> SessionCreateParamsLineItem:
    """One piece of what is sold. `recurring`: paid again after each interval."""
    if sold.stripe_price_id is not None:
        return {"quantity": 1, "price": sold.stripe_price_id}
    price: SessionCreateParamsLineItemPriceData = {
        "currency": sold.currency,
        "unit_amount": sold.amount,
        "product_data": {"name": name[:_LONGEST_NAME]},
    }
    if recurring is not None:
        price["recurring"] = recurring
    return {"quantity": 1, "price_data": price}


def add_options(params: SessionCreateParams, wishes: Wishes) -> None:
    """What the operator has switched on for purchases and subscriptions alike."""
    if "tax" in wishes.options:
        params["automatic_tax"] = {"enabled": True}
        # Stripe reads the address from the customer, whom we made without one.
        params["customer_update"] = {"address": "auto", "name": "auto"}
    if "tax_ids" in wishes.options:
        params["tax_id_collection"] = {"enabled": True}
        params["customer_update"] = {"address": "auto", "name": "auto"}
    if "promotion_codes" in wishes.options:
        params["allow_promotion_codes"] = True


def _payment(metadata: dict[str, str], wishes: Wishes) -> SessionCreateParamsPaymentIntentData:
    if wishes.consent_id is not None:
        metadata = metadata | {"consent_id": wishes.consent_id}
    payment: SessionCreateParamsPaymentIntentData = {
        "metadata": metadata
    }  # Stripe does not copy the session's
    if wishes.receipt_email is not None:
        payment["receipt_email"] = wishes.receipt_email
    if wishes.save_card:
        payment["setup_future_usage"] = "off_session"
    return payment


def _metadata(order: Order) -> dict[str, str]:
    """For people who look at Stripe, and for IAHome. The order alone says what is granted."""
    metadata = {
        "order_id": order.order_id,
        "account_id": order.account_id,
        "user_id": order.user_id,
        "type": "token_purchase",
        "moduleId": order.module_id or "",
        "moduleTitle": order.module_id or "",
        "userId": order.user_id,
        "tokenPackage": order.package_name,
        "tokens": f"{order.tokens + order.bonus_tokens:f}",
    }
    return {name: value[:_LONGEST_VALUE] for name, value in metadata.items()}
