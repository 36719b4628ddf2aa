"""/v1/setup_intents: create, confirm, cancel, retrieve, list."""

from typing import Any

from stripe_simulator.core import customer
from stripe_simulator.core.errors import PaymentRefused, StripeError, missing_object
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.payments import intents, methods, setups
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, chosen, list_objects
from stripe_simulator.protocol.parameters import Check, boolean, fields, metadata, one_of, text, url

_CREATE: dict[str, Check] = {
    "automatic_payment_methods": fields(
        {"enabled": boolean, "allow_redirects": one_of("always", "never")}, ["enabled"]
    ),
    "confirm": boolean,
    "customer": text(),
    "description": text(1000),
    "metadata": metadata,
    "payment_method": text(),
    "return_url": url,
    "usage": one_of("off_session", "on_session"),
}


@api_route("POST", "/v1/setup_intents", _CREATE)
def create(call: Call) -> Json:
    """POST /v1/setup_intents"""
    params, store = dict(call.params), call.store
    buyer, confirm = params.pop("customer", None), params.pop("confirm", False)
    given, return_url = params.pop("payment_method", None), params.pop("return_url", None)
    if buyer and customer.find(store, buyer) is None:
        raise missing_object("customer", buyer, "customer")
    method = methods.resolve(store, given) if given else None
    params["metadata"] = merge_metadata({}, params.get("metadata", {}))
    if method:
        params |= {"payment_method": method["id"], "status": "requires_confirmation"}
    setup = setups.new(store, buyer, params, call.origin)
    return _confirm(call, setup, method, return_url) if confirm else setup


@api_route("POST", "/v1/setup_intents/{id:str}/confirm", {"payment_method": text(), "return_url": url})
def confirm(call: Call) -> Json:
    """POST /v1/setup_intents/{id}/confirm"""
    setup = _open(call)
    given = call.params.get("payment_method") or setup["payment_method"]
    method = methods.resolve(call.store, given) if given else None
    return _confirm(call, setup, method, call.params.get("return_url"))


@api_route("POST", "/v1/setup_intents/{id:str}/cancel", {"cancellation_reason": text()})
def cancel(call: Call) -> Json:
    """POST /v1/setup_intents/{id}/cancel"""
    setup = _open(call)
    setups.cancel(call.store, setup, call.params.get("cancellation_reason"), call.origin)
    return setup


@api_route("GET", "/v1/setup_intents/{id:str}", {"client_secret": text()})
def retrieve(call: Call) -> Json:
    """GET /v1/setup_intents/{id}"""
    return _found(call)


@api_route("GET", "/v1/setup_intents", {**LIST_PARAMETERS, "customer": text(), "payment_method": text()})
def list_all(call: Call) -> Json:
    """GET /v1/setup_intents"""
    return list_objects(call, setups.KIND, chosen(call, "customer", "payment_method"))


def _confirm(call: Call, setup: Json, method: Json | None, return_url: Any) -> Json:
    if method is None:
        message = "You cannot confirm this SetupIntent because it's missing a payment method."
        raise StripeError(message, code="setup_intent_unexpected_state", param="payment_method")
    setups.attempt(call.store, setup, method, call.origin, return_url=return_url)
    if error := setup["last_setup_error"]:
        raise PaymentRefused(error, setup_intent=setup)
    return setup


def _open(call: Call) -> Json:
    setup = _found(call)
    if setup["status"] not in intents.OPEN:
        message = f"This SetupIntent has a status of {setup['status']}."
        raise StripeError(message, code="setup_intent_unexpected_state")
    return setup


def _found(call: Call) -> Json:
    setup = call.store.find(setups.KIND, call.id)
    if setup is None:
        raise missing_object(setups.KIND, call.id, "intent", 404)
    return setup
