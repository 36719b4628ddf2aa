"""/v1/payment_intents: create, confirm (also off session), update, cancel, retrieve, list."""

from typing import Any

from stripe_simulator.core import customer
from stripe_simulator.core.billing import clocks
from stripe_simulator.core.currencies import largest_charge, money, smallest_charge
from stripe_simulator.core.errors import PaymentRefused, StripeError, missing_object
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.payments import intents, methods
from stripe_simulator.core.payments.cards import AUTHENTICATION_REQUIRED
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, chosen, list_objects
from stripe_simulator.protocol.parameters import (
    Check,
    array,
    boolean,
    currency,
    email,
    fields,
    integer,
    metadata,
    one_of,
    text,
    url,
)

_KIND = "payment_intent"
_automatic = fields({"enabled": boolean, "allow_redirects": one_of("always", "never")}, ["enabled"])
_DATA: dict[str, Check] = {
    "description": text(1000),
    "metadata": metadata,
    "payment_method": text(),
    "receipt_email": email(),
    "setup_future_usage": one_of("off_session", "on_session"),
    "statement_descriptor": text(22),
    "statement_descriptor_suffix": text(22),
}
_CONFIRM: dict[str, Check] = {
    "error_on_requires_action": boolean,
    "off_session": boolean,
    "return_url": url,
}
_CREATE: dict[str, Check] = {
    **_DATA,
    **_CONFIRM,
    "allowed_payment_method_types": array(text()),
    "amount": integer(1),
    "automatic_payment_methods": _automatic,
    "capture_method": one_of("automatic", "automatic_async"),
    "confirm": boolean,
    "currency": currency,
    "customer": text(),
}


@api_route("POST", "/v1/payment_intents", _CREATE, ["amount", "currency"])
def create(call: Call) -> Json:
    """POST /v1/payment_intents; with ``confirm`` it is tried at once."""
    params, store = dict(call.params), call.store
    options = {name: params.pop(name) for name in _CONFIRM if name in params}
    confirm = params.pop("confirm", False)
    if options and not confirm:
        name = next(iter(options))
        raise StripeError(f"You can only use `{name}` with `confirm` set to true.", param=name)
    _check_amount(params["amount"], params["currency"])
    buyer = params.pop("customer", None)
    if buyer and customer.find(store, buyer) is None:
        raise missing_object("customer", buyer, "customer")
    method = _method(call, params.pop("payment_method", None), buyer)
    types = params.get("allowed_payment_method_types")
    if types:
        params["payment_method_types"] = types
    data = {**params, "metadata": merge_metadata({}, params.get("metadata", {}))}
    intent = intents.new(store, data.pop("amount"), data.pop("currency"), buyer, data, call.origin)
    if method:
        intent.update(payment_method=method["id"], status="requires_confirmation")
        store.update(intent)
    return _confirm(call, intent, method, options) if confirm else intent


@api_route("POST", "/v1/payment_intents/{id:str}/confirm", {**_CONFIRM, "payment_method": text()})
def confirm(call: Call) -> Json:
    """POST /v1/payment_intents/{id}/confirm"""
    intent = _open(call, "confirm")
    options = dict(call.params)
    given = options.pop("payment_method", None) or intent["payment_method"]
    return _confirm(call, intent, _method(call, given, intent["customer"]), options)


@api_route("POST", "/v1/payment_intents/{id:str}", {**_DATA, "amount": integer(1)})
def update(call: Call) -> Json:
    """POST /v1/payment_intents/{id}"""
    params = dict(call.params)
    if set(params) <= {"metadata", "description"}:
        intent = _found(call)
    else:
        intent = _open(call, "update")
        amount: int = params.get("amount") or intent["amount"]
        _check_amount(amount, intent["currency"])
    if "metadata" in params:
        params["metadata"] = merge_metadata(intent["metadata"], params["metadata"])
    if "payment_method" in params:
        method = _method(call, params["payment_method"], intent["customer"])
        params |= {"payment_method": method["id"] if method else None, "status": "requires_confirmation"}
    intent.update(params)
    call.store.update(intent)
    return intent


_REASONS = one_of("abandoned", "duplicate", "fraudulent", "requested_by_customer")


@api_route("POST", "/v1/payment_intents/{id:str}/cancel", {"cancellation_reason": _REASONS})
def cancel(call: Call) -> Json:
    """POST /v1/payment_intents/{id}/cancel"""
    intent = _open(call, "cancel")
    intents.cancel(call.store, intent, call.params.get("cancellation_reason"), call.origin)
    return intent


@api_route("GET", "/v1/payment_intents/{id:str}", {"client_secret": text()})
def retrieve(call: Call) -> Json:
    """GET /v1/payment_intents/{id}"""
    return _found(call)


@api_route("GET", "/v1/payment_intents", {**LIST_PARAMETERS, "customer": text()})
def list_all(call: Call) -> Json:
    """GET /v1/payment_intents"""
    return list_objects(call, _KIND, chosen(call, "customer"))


def _confirm(call: Call, intent: Json, method: Json | None, options: dict[str, Any]) -> Json:
    if method is None:
        message = (
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either "
            "update the PaymentIntent with a payment method and then confirm it again, or confirm it again "
            "directly with a payment method."
        )
        raise StripeError(message, code="payment_intent_unexpected_state", param="payment_method")
    off_session = options.get("off_session", False)
    intents.attempt(
        call.store,
        intent,
        method,
        call.origin,
        off_session=off_session,
        return_url=options.get("return_url"),
    )
    clocks.follow_intent(call.store, intent)
    if intent["status"] == "requires_action" and options.get("error_on_requires_action"):
        intents.refuse_action(call.store, intent, method, call.origin)
        raise PaymentRefused(AUTHENTICATION_REQUIRED, payment_intent=intent, payment_method=method)
    if error := intent["last_payment_error"]:
        raise PaymentRefused(error, payment_intent=intent)
    return intent


def _method(call: Call, id: str | None, buyer: str | None) -> Json | None:
    """The PaymentMethod, which a customer's PaymentIntent can use only when it is theirs or nobody's."""
    if id is None:
        return None
    method = methods.resolve(call.store, id)
    if method["customer"] and method["customer"] != buyer:
        message = (
            f"The provided PaymentMethod ({id}) belongs to a Customer. Please include that Customer in the "
            "`customer` parameter on the PaymentIntent."
        )
        raise StripeError(message, param="payment_method")
    return method


def _check_amount(amount: int, currency: str) -> None:
    least, most = smallest_charge(currency), largest_charge(currency)
    if least is not None and amount < least:
        message = f"Amount must be at least {money(least, currency)}"
        raise StripeError(message, code="amount_too_small", param="amount")
    if amount > most:
        message = f"Amount must be no more than {money(most, currency)}"
        raise StripeError(message, code="amount_too_large", param="amount")


def _open(call: Call, verb: str) -> Json:
    intent = _found(call)
    if call.store.inner(intent["id"]).get("session"):
        message = (
            f"You cannot {verb} PaymentIntents created by Checkout. Expire the Checkout Session instead."
        )
        raise StripeError(message, code="payment_intent_unexpected_state")
    if intent["status"] not in intents.OPEN:
        message = (
            f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}. Only a "
            f"PaymentIntent with one of the following statuses may be {verb}ed: {', '.join(intents.OPEN)}."
        )
        raise StripeError(message, code="payment_intent_unexpected_state")
    return intent


def _found(call: Call) -> Json:
    intent = call.store.find(_KIND, call.id)
    if intent is None:
        raise missing_object(_KIND, call.id, "intent", 404)
    return intent
