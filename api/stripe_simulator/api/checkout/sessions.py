"""/v1/checkout/sessions on the hosted page: create, retrieve, list, expire, line items."""

from typing import Any

from stripe_simulator.api.checkout import line_items
from stripe_simulator.api.checkout.parameters import CREATE, MODES
from stripe_simulator.core import customer
from stripe_simulator.core.checkout import completion, discounts, lifecycle, pricing
from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.payments import setups
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.expand import line_item_list
from stripe_simulator.protocol.lists import LIST_PARAMETERS, chosen, list_objects, page_size
from stripe_simulator.protocol.parameters import Check, one_of, text

_KIND = "checkout.session"
_SHORTEST, _LONGEST = 30 * 60, 24 * 3600
_SLACK = 60
"""Seconds by which the client's clock may be behind or ahead."""


@api_route("POST", "/v1/checkout/sessions", CREATE, ["mode", "success_url"])
def create(call: Call) -> Json:
    """POST /v1/checkout/sessions"""
    params, store = call.params, call.store
    _check_mode(params)
    buyer = _buyer(call)
    lines = [] if params["mode"] == "setup" else line_items.resolve(store, params["line_items"])
    line_items.check_mode(lines, params["mode"])
    id = new_id("cs_test", 58)
    session = _session(call, id, buyer)
    session["currency"] = lines[0]["currency"] if lines else params.get("currency")
    session["automatic_tax"] = _tax(params, buyer)
    inner = _inner(params, lines, store.now())
    if lines:
        _price(call, session, inner, buyer)
    else:
        session["setup_intent"] = inner["intent"] = _setup_intent(call, session)
    store.insert(session, inner, due=session["expires_at"])
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
    "subscription": text(),
}


@api_route("GET", "/v1/checkout/sessions", {**LIST_PARAMETERS, **_FILTERS})
def list_all(call: Call) -> Json:
    """GET /v1/checkout/sessions"""
    return list_objects(call, _KIND, chosen(call, *_FILTERS))


def _session(call: Call, id: str, buyer: Json | None) -> Json:
    params = call.params
    mode = params["mode"]
    address = params.get("customer_email") or (buyer or {}).get("email")
    creation = None if buyer or mode == "subscription" else params.get("customer_creation", "if_required")
    return {
        "id": id,
        "object": _KIND,
        "adaptive_pricing": params.get("adaptive_pricing", {"enabled": False}),
        "after_expiration": None,
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount_subtotal": None,
        "amount_total": None,
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "consent": None,
        "consent_collection": params.get("consent_collection"),
        "created": call.store.now(),
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": params.get("custom_text", {}),
        "customer": buyer["id"] if buyer else None,
        "customer_account": None,
        "customer_creation": creation,
        "customer_details": customer.details(address, buyer) if address or buyer else None,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": _expiry(call),
        "invoice": None,
        "invoice_creation": _invoice_creation(params.get("invoice_creation", {})),
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": merge_metadata({}, params.get("metadata", {})),
        "mode": mode,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": params.get(
            "payment_method_collection", "if_required" if mode == "payment" else "always"
        ),
        "payment_method_types": params.get("allowed_payment_method_types") or ["card", "sepa_debit"],
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "recovered_from": None,
        "saved_payment_method_options": params.get("saved_payment_method_options"),
        "setup_intent": None,
        "shipping_options": [],
        "status": "open",
        "tax_id_collection": {
            "enabled": params.get("tax_id_collection", {}).get("enabled", False),
            "required": "never",
        },
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params["success_url"],
        "total_details": None,
        "ui_mode": "hosted_page",
        "url": f"{call.store.public_url}/pay/{id}",
    }


def _inner(params: Json, lines: list[Json], now: int) -> Json:
    """What the API does not show of the session, and its completion needs."""

    def data(name: str) -> Json:
        given = params.get(name, {})
        return {**given, "metadata": merge_metadata({}, given.get("metadata", {}))}

    if completion.trial_end(params.get("subscription_data", {}), now):
        for line in lines:
            if line["price"]["recurring"]:
                line["amount_subtotal"] = 0  # nothing is due today
    return {
        "customer_update": params.get("customer_update", {}),
        "discount": next(iter(params.get("discounts", [])), None),
        "line_items": lines,
        "payment_intent_data": data("payment_intent_data"),
        "subscription_data": data("subscription_data"),
    }


def _price(call: Call, session: Json, inner: Json, buyer: Json | None) -> None:
    if inner["discount"]:
        if "allow_promotion_codes" in call.params:
            message = "You may only specify one of these parameters: allow_promotion_codes, discounts."
            raise StripeError(message)
        subtotal = sum(line["amount_subtotal"] for line in inner["line_items"])
        discounts.find(
            call.store,
            inner["discount"],
            session["currency"],
            subtotal,
            buyer["id"] if buyer else None,
            "discounts[0]",
        )
    pricing.price(call.store, session, inner)
    line_items.check_total(session["amount_total"], session["currency"])


def _setup_intent(call: Call, session: Json) -> str:
    data = call.params.get("setup_intent_data", {})
    data = {**data, "metadata": merge_metadata({}, data.get("metadata", {}))}
    setup = setups.new(call.store, session["customer"], data, call.origin)
    call.store.set_inner(setup["id"], {"session": session["id"]})
    return str(setup["id"])


def _check_mode(params: Json) -> None:
    mode = params["mode"]
    for name, modes in MODES.items():
        if name in params and mode not in modes:
            raise StripeError(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    if mode != "setup" and "line_items" not in params:
        raise StripeError("Missing required param: line_items.", code="parameter_missing", param="line_items")


def _tax(params: Json, buyer: Json | None) -> Json:
    """Tax depends on where the buyer is. A customer without an address must be allowed to get one."""
    enabled = params.get("automatic_tax", {}).get("enabled", False)
    located = bool(buyer and (buyer["address"] or {}).get("country"))
    if enabled and buyer and not located and params.get("customer_update", {}).get("address") != "auto":
        message = (
            "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid "
            "address to the Customer or set `customer_update[address]` to 'auto'."
        )
        raise StripeError(message, code="customer_tax_location_invalid", param="automatic_tax")
    status = ("complete" if located else "requires_location_inputs") if enabled else None
    return {
        "enabled": enabled,
        "liability": {"type": "self"} if enabled else None,
        "provider": "stripe" if enabled else None,
        "status": status,
    }


def _invoice_creation(given: Json) -> Json:
    data = given.get("invoice_data", {})
    return {
        "enabled": given.get("enabled", False),
        "invoice_data": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": data.get("description"),
            "footer": data.get("footer"),
            "issuer": None,
            "metadata": merge_metadata({}, data.get("metadata", {})),
            "rendering_options": None,
        },
    }


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
        if "customer_update" in call.params:
            raise StripeError("`customer_update` can only be used with `customer`.", param="customer_update")
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
