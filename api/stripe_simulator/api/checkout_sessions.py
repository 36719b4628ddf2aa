"""/v1/checkout/sessions, ``mode=payment`` on the hosted page: create, retrieve, list, expire, line items."""

from typing import Any

from stripe_simulator.api import line_items
from stripe_simulator.core import customer, lifecycle
from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.store import Json, Store
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.expand import line_item_list
from stripe_simulator.protocol.lists import LIST_PARAMETERS, list_objects, page_size
from stripe_simulator.protocol.parameters import (
    Check,
    array,
    boolean,
    email,
    fields,
    integer,
    metadata,
    off,
    one_of,
    text,
    url,
)

_KIND = "checkout.session"
_SHORTEST, _LONGEST = 30 * 60, 24 * 3600
_SLACK = 60
"""Seconds by which the client's clock may be behind or ahead."""

_NO_INVOICE_DATA: Json = {
    "account_tax_ids": None,
    "custom_fields": None,
    "description": None,
    "footer": None,
    "issuer": None,
    "metadata": {},
    "rendering_options": None,
}

_auto = one_of("auto", "never")
_CREATE: dict[str, Check] = {
    "adaptive_pricing": fields({"enabled": boolean}),
    "allow_promotion_codes": boolean,
    "allowed_payment_method_types": array(text()),
    "automatic_tax": off,
    "billing_address_collection": one_of("auto", "required"),
    "cancel_url": url,
    "client_reference_id": text(200),
    "customer": text(),
    "customer_creation": one_of("always", "if_required"),
    "customer_email": email(),
    "customer_update": fields({"address": _auto, "name": _auto, "shipping": _auto}),
    "expires_at": integer(),
    "invoice_creation": off,
    "line_items": line_items.line_items,
    "locale": text(),
    "metadata": metadata,
    "mode": one_of("payment"),
    "payment_intent_data": fields(
        {
            "description": text(),
            "metadata": metadata,
            "receipt_email": email(),
            "setup_future_usage": one_of("off_session", "on_session"),
            "statement_descriptor": text(22),
            "statement_descriptor_suffix": text(22),
        }
    ),
    "submit_type": one_of("auto", "book", "donate", "pay"),
    "success_url": url,
    "tax_id_collection": off,
    "ui_mode": one_of("hosted_page"),
}


@api_route("POST", "/v1/checkout/sessions", _CREATE, ["mode", "line_items", "success_url"])
def create(call: Call) -> Json:
    """POST /v1/checkout/sessions"""
    params = call.params
    buyer = _buyer(call)
    lines = line_items.resolve(call.store, params["line_items"])
    total = sum(line["amount_total"] for line in lines)
    id = new_id("cs_test", 58)
    address = params.get("customer_email") or (buyer or {}).get("email")
    session = {
        "id": id,
        "object": _KIND,
        "adaptive_pricing": params.get("adaptive_pricing", {"enabled": False}),
        "after_expiration": None,
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "consent": None,
        "consent_collection": None,
        "created": call.store.now(),
        "currency": lines[0]["currency"],
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {},
        "customer": buyer["id"] if buyer else None,
        "customer_account": None,
        "customer_creation": None if buyer else params.get("customer_creation", "if_required"),
        "customer_details": customer.details(address, buyer) if address or buyer else None,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": _expiry(call),
        "invoice": None,
        "invoice_creation": {"enabled": False, "invoice_data": _NO_INVOICE_DATA},
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": merge_metadata({}, params.get("metadata", {})),
        "mode": "payment",
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_types": params.get("allowed_payment_method_types") or ["card", "sepa_debit"],
        "payment_status": "unpaid",
        "recovered_from": None,
        "setup_intent": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{call.store.public_url}/pay/{id}",
    }
    data = params.get("payment_intent_data", {})
    data["metadata"] = merge_metadata({}, data.get("metadata", {}))
    call.store.insert(session, {"line_items": lines, "payment_intent_data": data}, due=session["expires_at"])
    return session


@api_route("GET", "/v1/checkout/sessions/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/checkout/sessions/{id}"""
    return _found(call)


@api_route("GET", "/v1/checkout/sessions/{id:str}/line_items", {"limit": page_size, "starting_after": text()})
def list_line_items(call: Call) -> Json:
    """GET /v1/checkout/sessions/{id}/line_items"""
    params = call.params
    return line_item_list(
        call.store, _found(call)["id"], params.get("limit", 10), params.get("starting_after")
    )


@api_route("POST", "/v1/checkout/sessions/{id:str}/expire", {})
def expire(call: Call) -> Json:
    """POST /v1/checkout/sessions/{id}/expire"""
    session = _found(call)
    if not lifecycle.expire(call.store, session, call.origin):
        message = (
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a '
            f"status of `{session['status']}`."
        )
        raise StripeError(message)
    return session


_FILTERS: dict[str, Check] = {
    "customer": text(),
    "payment_intent": text(),
    "status": one_of("open", "complete", "expired"),
}


@api_route("GET", "/v1/checkout/sessions", {**LIST_PARAMETERS, **_FILTERS})
def list_all(call: Call) -> Json:
    """GET /v1/checkout/sessions"""
    return list_objects(call, _KIND, {key: call.params[key] for key in _FILTERS if key in call.params})


def move_open_sessions(store: Store) -> None:
    """Point the links of open sessions to this process, which may have another port than the last one."""
    store.db.execute(
        "update objects set body = json_set(body, '$.url', ? || '/pay/' || id)"
        " where due is not null and kind = 'checkout.session'",
        (store.public_url,),
    )


def _found(call: Call) -> Json:
    session = call.store.find(_KIND, call.id)
    if session is None:
        raise missing_object(_KIND, call.id, "session", 404)
    return session


def _buyer(call: Call) -> Json | None:
    given = [name for name in ("customer", "customer_email") if name in call.params]
    if len(given) == 2:
        raise StripeError("You may only specify one of these parameters: customer, customer_email.")
    if "customer" not in given:
        return None
    if "customer_creation" in call.params:
        raise StripeError("You may only specify one of these parameters: customer, customer_creation.")
    buyer = customer.find(call.store, call.params["customer"])
    if buyer is None:
        raise missing_object("customer", call.params["customer"], "customer")
    return buyer


def _expiry(call: Call) -> int:
    now = call.store.now()
    expires_at: Any = call.params.get("expires_at", now + _LONGEST)
    if expires_at < now + _SHORTEST - _SLACK:
        message = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
        raise StripeError(message, param="expires_at")
    if expires_at > now + _LONGEST + _SLACK:
        message = "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."
        raise StripeError(message, param="expires_at")
    return int(expires_at)
