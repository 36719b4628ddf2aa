"""An order at Stripe: its Checkout session and its customer. A customer who is gone is replaced.

The idempotency keys make a repeated call find what an earlier one made before it could be noted. Stripe gives
the first answer to a key again for a day, whatever has happened since. So the customer who replaces another
has a key of their own, and a refusal that was told again is followed by a try with a new key.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import msgspec
import stripe
from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItem

from pgcredits.http.errors import log

_CUSTOMERS = 3  # the known one, the one that its key tells again, a new one


class Order(msgspec.Struct, frozen=True):
    """api.order_receipt, as far as Stripe needs to know. amount is in minor units of currency."""

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
    """The session that the order has; None when Stripe does not know it, as after a change of the key."""
    try:
        return await client.v1.checkout.sessions.retrieve_async(order.checkout_session_id or "")
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise
        log.error("order %s: Stripe does not know its session: %s", order.order_id, error)
        return None


async def open_session(
    client: stripe.StripeClient, order: Order, urls: tuple[str, str]
) -> stripe.checkout.Session:
    """A session for an order that has none, for the account's customer, or a new one when that is gone."""
    customer_id = order.stripe_customer_id or await _new_customer(client, order, None)
    for _ in range(_CUSTOMERS - 1):
        try:
            return await _new_session(client, order, customer_id, urls)
        except stripe.InvalidRequestError as error:
            if (error.code, error.param) != ("resource_missing", "customer"):
                raise
            log.warning("order %s: a new customer replaces %s: %s", order.order_id, customer_id, error)
            customer_id = await _new_customer(client, order, customer_id)
    return await _new_session(client, order, customer_id, urls)


async def end_session(client: stripe.StripeClient, order: Order, session: stripe.checkout.Session) -> None:
    """Nobody shall pay it, and nobody has been told its address: when this fails, Stripe ends it in a day."""
    try:
        await client.v1.checkout.sessions.expire_async(session.id)
    except stripe.StripeError as error:
        log.warning("order %s: session %s was not expired: %s", order.order_id, session.id, error)


async def _new_customer(client: stripe.StripeClient, order: Order, gone: str | None) -> str:
    key = f"customer:{order.account_id}" + (f":{gone}" if gone else "")
    params: stripe.params.CustomerCreateParams = {
        "metadata": {"account_id": order.account_id, "user_id": order.user_id}
    }
    try:
        customer = await client.v1.customers.create_async(params, {"idempotency_key": key})
    except stripe.StripeError as error:
        key = _another_try(key, error)
        customer = await client.v1.customers.create_async(params, {"idempotency_key": key})
    return customer.id


async def _new_session(
    client: stripe.StripeClient, order: Order, customer_id: str, urls: tuple[str, str]
) -> stripe.checkout.Session:
    key = f"checkout:{order.order_id}:{customer_id}"
    params = _session_params(order, customer_id, urls)
    try:
        return await client.v1.checkout.sessions.create_async(params, {"idempotency_key": key})
    except stripe.StripeError as error:
        key = _another_try(key, error)
        return await client.v1.checkout.sessions.create_async(params, {"idempotency_key": key})


def _another_try(key: str, error: stripe.StripeError) -> str:
    """A key to try again with, after a refusal that was told again: its cause may be mended. Else raises."""
    if {name.lower(): value for name, value in dict(error.headers or {}).items()}.get(
        "idempotent-replayed"
    ) != "true":
        raise error
    return f"{key}:{uuid4()}"


def _session_params(order: Order, customer_id: str, urls: tuple[str, str]) -> SessionCreateParams:
    item: SessionCreateParamsLineItem = {"quantity": 1}
    if order.stripe_price_id is not None:
        item["price"] = order.stripe_price_id
    else:
        item["price_data"] = {
            "currency": order.currency,
            "unit_amount": order.amount,
            "product_data": {"name": order.package_name},
        }
    # For people who look at Stripe, and for IAHome; what is granted is what the order says.
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
    return {
        "mode": "payment",
        "line_items": [item],
        "customer": customer_id,
        "client_reference_id": order.account_id,
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},  # Stripe does not copy the session's
        "success_url": urls[0],
        "cancel_url": urls[1],
    }
