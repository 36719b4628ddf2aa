"""Plans at Stripe: a Checkout session in subscription mode, and Stripe's portal for customers."""

from __future__ import annotations

import hashlib
from typing import Literal
from uuid import uuid4

import msgspec
import stripe
from stripe.params.checkout import (
    SessionCreateParams,
    SessionCreateParamsLineItemPriceDataRecurring,
    SessionCreateParamsSubscriptionData,
)

from pgcredits.http.errors import log, refuse
from pgcredits.http.payments.checkout import Wishes, add_options, line_item, new_session, with_customer


class Offer(msgspec.Struct, frozen=True):
    """api.plan_offer: the terms of a plan for one account. amount is in minor units of currency."""

    user_id: str
    account_id: str
    plan_id: str
    version: int
    title: str
    interval: Literal["month", "year"]
    interval_count: int
    amount: int
    currency: str
    trial_days: int
    stripe_price_id: str | None
    stripe_customer_id: str | None


class Customer(msgspec.Struct, frozen=True):
    """api.stripe_customer: who an account is at Stripe."""

    user_id: str
    account_id: str
    stripe_customer_id: str


async def open_subscription(
    client: stripe.StripeClient, offer: Offer, wishes: Wishes, key: str | None
) -> stripe.checkout.Session:
    """A session for a plan. A repeated key gets the same session, for a day."""
    named = key or str(uuid4())

    async def make(customer_id: str) -> stripe.checkout.Session:
        # Stripe's keys have at most 255 characters.
        about = (offer.account_id, offer.plan_id, str(offer.version), named, customer_id)
        once = "subscribe:" + hashlib.sha256("\0".join(about).encode()).hexdigest()
        return await new_session(client, _session_params(offer, customer_id, wishes), once)

    return await with_customer(client, offer, make)


async def portal_url(client: stripe.StripeClient, customer: Customer, return_url: str) -> str:
    """The address of a session in the portal, for one visit. Raises ApiError 404 no_customer."""
    try:
        session = await client.v1.billing_portal.sessions.create_async(
            {"customer": customer.stripe_customer_id, "return_url": return_url}
        )
    except stripe.InvalidRequestError as error:
        if (error.code, error.param) != ("resource_missing", "customer"):
            raise
        log.warning("account %s: Stripe does not know its customer: %s", customer.account_id, error)
        text = "The payment provider no longer knows this customer. The next checkout makes a new one."
        raise refuse(404, "no_customer", text) from error
    return session.url


def _session_params(offer: Offer, customer_id: str, wishes: Wishes) -> SessionCreateParams:
    # Stripe does not copy the metadata of the session to the subscription. Its invoices carry them.
    metadata = {
        "account_id": offer.account_id,
        "plan_id": offer.plan_id,
        "plan_version": str(offer.version),
        "user_id": offer.user_id,
    }
    subscription: SessionCreateParamsSubscriptionData = {"metadata": metadata}
    if offer.trial_days > 0:
        subscription["trial_period_days"] = offer.trial_days
    every: SessionCreateParamsLineItemPriceDataRecurring = {
        "interval": offer.interval,
        "interval_count": offer.interval_count,
    }
    params: SessionCreateParams = {
        "mode": "subscription",
        "line_items": [line_item(offer, offer.title, every)],
        "customer": customer_id,
        "client_reference_id": offer.account_id,
        "metadata": metadata,
        "subscription_data": subscription,
        "success_url": wishes.success_url,
        "cancel_url": wishes.cancel_url,
    }
    add_options(params, wishes)
    return params
