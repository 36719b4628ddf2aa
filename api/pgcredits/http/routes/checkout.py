"""/checkout: make the order in the database, then a Stripe session for it. The webhook brings the tokens.

A plan has no order at first: each invoice of the subscription makes one, when it is paid.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.resources import files
from typing import Any

import msgspec
import psycopg
import stripe
from litestar import MediaType, Request, Response, get, post
from litestar.di import NamedDependency

from pgcredits.http.caching import PUBLIC
from pgcredits.http.database.pools import BusyError, UnavailableError
from pgcredits.http.errors import ApiError, log, refuse
from pgcredits.http.functions import jsonbody, rpc
from pgcredits.http.functions.idempotency import idempotency_key
from pgcredits.http.origins import is_listed
from pgcredits.http.payments import topups
from pgcredits.http.payments.checkout import Order, Wishes, end_session, find_session, open_session
from pgcredits.http.payments.plans import Customer, Offer, open_subscription, portal_url
from pgcredits.http.resources import Resources
from pgcredits.settings import Settings
from pgcredits.tokens import SERVICE, Caller

_STRIPE_VERSION = "2026-10-28.endive"
_SECONDS = 10.0
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_PLAN = ("plan_id", "planId")
_NAMES = {
    "pack_id": ("pack_id", "packId"),
    "amount": ("amount",),
    "module_id": ("module_id", "moduleId"),
    "user_id": ("user_id", "userId"),
}
_HTML_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",  # the address holds the session's id
    **PUBLIC,
}


@post("/checkout", status_code=200)
async def checkout(
    request: Request[Any, Any, Any],
    resources: NamedDependency[Resources],
) -> dict[str, Any]:
    """{"pack_id", "amount" or "plan_id", module_id?, success_url?, cancel_url?, save_card?, receipt_email?,
    auto_topup?}

    → {"order_id", "session_id", "url"}; for a plan {"plan_id", "session_id", "url"}. A repeated
    Idempotency-Key gets the same order and the same session.
    auto_topup: {threshold, "pack_id" or "amount", monthly_limit, words}, what the user agrees to. If nothing
    is ordered, the session only saves the card → {"consent_id", "session_id", "url"}.
    """
    caller = await resources.identify(request)
    if caller.anonymous:
        raise refuse(401, "not_signed_in", "Sign in first.")
    client = _stripe(resources)
    body = jsonbody.parse(await request.body())
    wishes = _wishes(body, resources.settings)
    if any(body.members.get(name, "null") != "null" for name in _PLAN):
        return await _subscribe(resources, client, caller, body, wishes, idempotency_key(request.headers))
    consent = await topups.agree(resources, caller, body)
    if consent is not None:
        wishes = replace(wishes, save_card=True, consent_id=consent.consent_id)
        if body.members.keys().isdisjoint(("pack_id", "packId", "amount")):
            session = await topups.save_card(client, consent, wishes)
            return {"consent_id": consent.consent_id, "session_id": session.id, "url": session.url}
    asked = {name: next((n for n in names if n in body.members), names[0]) for name, names in _NAMES.items()}
    key = idempotency_key(request.headers)
    text = await rpc.call(
        resources.schema_cache, caller, "create_order", body.pick(asked), key=key, path="/checkout"
    )
    order = msgspec.json.decode(text, type=Order)
    if order.state != "pending":
        raise refuse(409, "order_closed", f"This order is {order.state} already.", state=order.state)
    try:
        async with _stripe_errors(
            f"order {order.order_id}",
            _price(order.stripe_price_id, order.package_name),
            order_id=order.order_id,
        ):
            session = await _session(resources, client, order, wishes)
    except ApiError:
        if key is None:  # nobody can continue this order, so it must not count as pending
            await _cancel(resources, order)
        raise
    if order.checkout_session_id is None:
        await _attach(resources, client, order, session)
    await _require_price(client, order, session)  # after attaching: when the session ends, the order ends
    if session.url is None:
        if session.status == "expired":  # in case Stripe's event was lost
            await _cancel(resources, order)
        raise refuse(409, "order_closed", "The Checkout session of this order is over.")
    return {"order_id": order.order_id, "session_id": session.id, "url": session.url}


@post("/portal", status_code=200)
async def portal(
    request: Request[Any, Any, Any],
    resources: NamedDependency[Resources],
) -> dict[str, Any]:
    """{"return_url"?} → {"url"}: Stripe's page on which users change, pay and cancel what they have."""
    caller = await resources.identify(request)
    if caller.anonymous:
        raise refuse(401, "not_signed_in", "Sign in first.")
    client = _stripe(resources)
    body = jsonbody.parse(await request.body())
    return_url = _return_url(body, "return_url", resources.settings) or resources.settings.public_url
    asked = body.pick(
        {"user_id": next((name for name in _NAMES["user_id"] if name in body.members), "user_id")}
    )
    text = await rpc.call(resources.schema_cache, caller, "payment_customer", asked, path="/portal")
    customer = msgspec.json.decode(text, type=Customer)
    async with _stripe_errors(f"account {customer.account_id}"):
        return {"url": await portal_url(client, customer, return_url)}


def _stripe(resources: Resources) -> stripe.StripeClient:
    """Raises ApiError 503 payment_unavailable when nothing can be bought."""
    why = resources.settings.why_nothing_is_sold
    if resources.stripe is None or why is not None:
        raise refuse(503, "payment_unavailable", why or "Nothing can be bought.")
    return resources.stripe


async def _subscribe(
    resources: Resources,
    client: stripe.StripeClient,
    caller: Caller,
    body: jsonbody.JsonObject,
    wishes: Wishes,
    key: str | None,
) -> dict[str, Any]:
    """A session in subscription mode. The first invoice that is paid brings the tokens."""
    for name in ("pack_id", "packId", "amount", "module_id", "moduleId"):
        if body.members.get(name, "null") != "null":
            raise refuse(422, "bad_order", f"A plan is ordered by its plan_id alone, without {name}.")
    names = {"plan_id": _PLAN, "user_id": _NAMES["user_id"]}
    asked = {name: next((n for n in named if n in body.members), named[0]) for name, named in names.items()}
    text = await rpc.call(resources.schema_cache, caller, "offer_plan", body.pick(asked), path="/checkout")
    offer = msgspec.json.decode(text, type=Offer)
    async with _stripe_errors(f"plan {offer.plan_id}", _price(offer.stripe_price_id, offer.title)):
        session = await open_subscription(client, offer, wishes, key)
    named = {"account_id": offer.account_id, "customer_id": str(session.customer)}
    if offer.stripe_customer_id not in (None, named["customer_id"]):
        named["replaces_customer_id"] = str(offer.stripe_customer_id)
    attached = jsonbody.build({name: jsonbody.text(value) for name, value in named.items()})
    await rpc.call(resources.schema_cache, SERVICE, "attach_customer", attached, path="/checkout")
    # During a trial nothing is due yet, so only the first invoice can tell.
    if offer.trial_days == 0 and (session.amount_subtotal, session.currency) != (
        offer.amount,
        offer.currency,
    ):
        log.error(
            "plan %s costs %s %s, but at Stripe %s is %s %s",
            offer.plan_id,
            offer.amount,
            offer.currency,
            offer.stripe_price_id,
            session.amount_subtotal,
            session.currency,
        )
        await end_session(client, session)
        raise refuse(502, "payment_failed", "The payment provider has another price for this.")
    if session.url is None:
        raise refuse(409, "order_closed", "The Checkout session of this plan is over.")
    return {"plan_id": offer.plan_id, "session_id": session.id, "url": session.url}


@asynccontextmanager
async def stripe_client(settings: Settings) -> AsyncIterator[stripe.StripeClient | None]:
    """Stripe, or the simulator, for the life of the app. None when no key is configured."""
    if settings.stripe_secret_key is None:
        yield None
        return
    base: Any = {"api": settings.stripe_api_base} if settings.stripe_api_base else {}
    http = stripe.HTTPXClient(timeout=_SECONDS)
    try:
        yield stripe.StripeClient(
            settings.stripe_secret_key,
            base_addresses=base,
            http_client=http,
            max_network_retries=2,
            stripe_version=_STRIPE_VERSION,
        )
    finally:
        await http.close_async()  # type: ignore[no-untyped-call]


async def _session(
    resources: Resources, client: stripe.StripeClient, order: Order, wishes: Wishes
) -> stripe.checkout.Session:
    if order.checkout_session_id is None:
        return await open_session(client, order, wishes)
    session = await find_session(client, order)
    if session is None:
        await _cancel(resources, order)
        text = "The payment provider no longer knows the checkout of this order. Order again."
        raise refuse(409, "order_closed", text, state="expired")
    return session


async def _attach(
    resources: Resources, client: stripe.StripeClient, order: Order, session: stripe.checkout.Session
) -> None:
    """Note the session on its order. When the order does not accept it any more, end the session."""
    named = {
        "account_id": order.account_id,
        "order_id": order.order_id,
        "session_id": session.id,
        "customer_id": str(session.customer),
    }
    if order.stripe_customer_id not in (None, named["customer_id"]):
        named["replaces_customer_id"] = str(order.stripe_customer_id)
    attached = jsonbody.build({name: jsonbody.text(value) for name, value in named.items()})
    try:
        await rpc.call(resources.schema_cache, SERVICE, "attach_checkout", attached, path="/checkout")
    except psycopg.Error as error:
        if error.sqlstate in ("PT404", "PT409"):
            await end_session(client, session)
        raise


async def _cancel(resources: Resources, order: Order) -> None:
    """End the order. When that fails, the order ends by itself: after an hour, or with its session."""
    named = {"account_id": order.account_id, "order_id": order.order_id}
    cancelled = jsonbody.build({name: jsonbody.text(value) for name, value in named.items()})
    try:
        await rpc.call(resources.schema_cache, SERVICE, "cancel_order", cancelled, path="/checkout")
    except (psycopg.Error, UnavailableError, BusyError) as error:
        log.warning("order %s: was not cancelled: %s", order.order_id, error)


async def _require_price(client: stripe.StripeClient, order: Order, session: stripe.checkout.Session) -> None:
    """Refuse a session whose amount is not the order's: a price at Stripe may differ.

    Raises ApiError 502 payment_failed.
    """
    if (session.amount_subtotal, session.currency) == (order.amount, order.currency):
        return
    log.error(
        "order %s: ordered for %s %s, but at Stripe %s is %s %s",
        order.order_id,
        order.amount,
        order.currency,
        order.stripe_price_id,
        session.amount_subtotal,
        session.currency,
    )
    await end_session(client, session)
    text = "The payment provider has another price for this."
    raise refuse(502, "payment_failed", text, order_id=order.order_id)


def _wishes(body: jsonbody.JsonObject, settings: Settings) -> Wishes:
    """Raises ApiError 422 bad_url, bad_argument or bad_email."""
    success_url, cancel_url = _return_urls(body, settings)
    save_card = body.members.get("save_card", "false")
    if save_card not in ("true", "false", "null"):
        raise refuse(422, "bad_argument", "save_card must be true or false.", argument="save_card")
    if save_card == "true" and "saved_cards" not in settings.checkout:
        text = "This site saves no cards: PGCREDITS_CHECKOUT does not list saved_cards."
        raise refuse(422, "bad_argument", text, argument="save_card")
    return Wishes(
        success_url,
        cancel_url,
        save_card=save_card == "true",
        receipt_email=_receipt_email(body, settings),
        options=settings.checkout,
    )


def _receipt_email(body: jsonbody.JsonObject, settings: Settings) -> str | None:
    """Where Stripe sends the receipt, if the operator wants receipts. Stripe checks the address itself."""
    if "receipts" not in settings.checkout or body.members.get("receipt_email", "null") == "null":
        return None
    email = body.string("receipt_email")
    if email is None or not _EMAIL.fullmatch(email):
        raise refuse(422, "bad_email", "receipt_email must be an e-mail address.")
    return email


def _return_urls(body: jsonbody.JsonObject, settings: Settings) -> tuple[str, str]:
    """The pages that the buyer returns to: ours, or an allowed origin's. Raises ApiError 422 bad_url."""
    here = settings.public_url + "/checkout/"
    return (
        _return_url(body, "success_url", settings) or here + "done?session_id={CHECKOUT_SESSION_ID}",
        _return_url(body, "cancel_url", settings) or here + "cancelled",
    )


def _return_url(body: jsonbody.JsonObject, name: str, settings: Settings) -> str | None:
    """The member, if the body has it. Raises ApiError 422 bad_url."""
    if body.members.get(name, "null") == "null":
        return None
    url = body.string(name)
    if url is None or not is_listed(url, (settings.public_url, *settings.return_origins)):
        text = f"{name} must be a page of this site, or of an origin that PGCREDITS_RETURN_ORIGINS lists."
        raise refuse(422, "bad_url", text)
    return url


def _price(price_id: str | None, title: str) -> str | None:
    return f"{price_id} for {title}" if price_id else None


@asynccontextmanager
async def _stripe_errors(what: str, price: str | None = None, **facts: str) -> AsyncIterator[None]:
    """Errors of Stripe as ours. An order stays pending, and the same call again continues it."""
    try:
        yield
    except stripe.IdempotencyError as error:
        raise refuse(
            409,
            "key_reused",
            "This checkout was begun with other return addresses, or another save_card or receipt_email.",
        ) from error
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        log.warning("%s: Stripe cannot be reached: %s", what, error)
        text = "The payment provider cannot be reached. Try again."
        raise refuse(503, "payment_unavailable", text, **facts) from error
    except stripe.StripeError as error:
        if error.code == "resource_missing" and price is not None:
            log.error("%s: Stripe has no price %s: %s", what, price, error)
        else:
            log.error("%s: Stripe refused: %s", what, error)
        text = "The payment provider refused the order."
        raise refuse(502, "payment_failed", text, **facts) from error


def _page(name: str) -> bytes:
    return (files("pgcredits.http") / "static" / name).read_bytes()


@get("/checkout/done", media_type=MediaType.HTML)
async def done() -> Response[bytes]:
    """The page to which Checkout sends the buyer after paying."""
    return Response(_page("done.html"), media_type=MediaType.HTML, headers=_HTML_HEADERS)


@get("/checkout/cancelled", media_type=MediaType.HTML)
async def cancelled() -> Response[bytes]:
    """The page to which Checkout sends a buyer who went back."""
    return Response(_page("cancelled.html"), media_type=MediaType.HTML, headers=_HTML_HEADERS)


@get("/checkout/pages.css", media_type=MediaType.CSS)
async def style() -> Response[bytes]:
    """The style of the two pages."""
    return Response(_page("pages.css"), media_type=MediaType.CSS, headers=PUBLIC)
