"""/v1/payment_methods: make one of a test card, attach, detach, retrieve, list."""

from typing import Any

from stripe_simulator.core import customer
from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.payments import methods
from stripe_simulator.core.payments.cards import TOKENS
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, chosen, list_objects
from stripe_simulator.protocol.parameters import Check, fields, integer, metadata, one_of, text

_KIND = "payment_method"
_CARD: dict[str, Check] = {
    "cvc": text(4),
    "exp_month": integer(1, 12),
    "exp_year": integer(2000, 2100),
    "number": text(30),
    "token": text(),
}
_TYPES = one_of("card", "sepa_debit")


@api_route(
    "POST", "/v1/payment_methods", {"card": fields(_CARD), "metadata": metadata, "type": _TYPES}, ["type"]
)
def create(call: Call) -> Json:
    """POST /v1/payment_methods"""
    params = call.params
    if params["type"] != "card":
        return methods.new_debit(call.store)
    return methods.new_card(
        call.store, _number(params.get("card", {})), merge_metadata({}, params.get("metadata", {}))
    )


@api_route("GET", "/v1/payment_methods/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/payment_methods/{id}"""
    return _found(call)


@api_route("POST", "/v1/payment_methods/{id:str}/attach", {"customer": text()}, ["customer"])
def attach(call: Call) -> Json:
    """POST /v1/payment_methods/{id}/attach"""
    buyer = customer.find(call.store, call.params["customer"])
    if buyer is None:
        raise missing_object("customer", call.params["customer"], "customer")
    method = methods.resolve(call.store, call.id)
    methods.attach(call.store, method, buyer["id"], call.origin)
    return method


@api_route("POST", "/v1/payment_methods/{id:str}/detach", {})
def detach(call: Call) -> Json:
    """POST /v1/payment_methods/{id}/detach"""
    method = _found(call)
    if method["customer"] is None:
        raise StripeError("The payment method you provided is not attached to a customer.")
    methods.detach(call.store, method, call.origin)
    return method


@api_route("GET", "/v1/payment_methods", {**LIST_PARAMETERS, "customer": text(), "type": _TYPES})
def list_all(call: Call) -> Json:
    """GET /v1/payment_methods"""
    return list_objects(call, _KIND, chosen(call, "customer", "type"))


@api_route("GET", "/v1/customers/{id:str}/payment_methods", {**LIST_PARAMETERS, "type": _TYPES})
def list_of_customer(call: Call) -> Json:
    """GET /v1/customers/{id}/payment_methods"""
    if customer.find(call.store, call.id) is None:
        raise missing_object("customer", call.id, "customer", 404)
    return list_objects(call, _KIND, {"customer": call.id, **chosen(call, "type")})


def _number(card: dict[str, Any]) -> str:
    if token := card.get("token"):
        name = token.replace("tok_", "pm_card_", 1)
        if name not in TOKENS:
            raise missing_object("token", token, "card[token]")
        return TOKENS[name]
    if "number" not in card:
        raise StripeError("Missing required param: card.", code="parameter_missing", param="card")
    return str(card["number"])


def _found(call: Call) -> Json:
    method = call.store.find(_KIND, call.id)
    if method is None:
        raise missing_object("PaymentMethod", call.id, "payment_method", 404)
    return method
