"""/v1/refunds: create, retrieve, update, cancel, list."""

from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.payments import charges, refunds
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, chosen, list_objects
from stripe_simulator.protocol.parameters import Check, integer, metadata, one_of, text

_CREATE: dict[str, Check] = {
    "amount": integer(1),
    "charge": text(),
    "metadata": metadata,
    "payment_intent": text(),
    "reason": one_of("duplicate", "fraudulent", "requested_by_customer"),
}


@api_route("POST", "/v1/refunds", _CREATE)
def create(call: Call) -> Json:
    """POST /v1/refunds"""
    params = dict(call.params)
    params["metadata"] = merge_metadata({}, params.get("metadata", {}))
    return refunds.create(call.store, _charge(call), params.get("amount"), params, call.origin)


@api_route("GET", "/v1/refunds/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/refunds/{id}"""
    return _found(call)


@api_route("POST", "/v1/refunds/{id:str}", {"metadata": metadata})
def update(call: Call) -> Json:
    """POST /v1/refunds/{id}"""
    refund = _found(call)
    if "metadata" not in call.params:
        return refund
    return refunds.update(
        call.store, refund, merge_metadata(refund["metadata"], call.params["metadata"]), call.origin
    )


@api_route("POST", "/v1/refunds/{id:str}/cancel", {})
def cancel(call: Call) -> Json:
    """POST /v1/refunds/{id}/cancel"""
    refund = _found(call)
    if not refunds.cancel(call.store, refund, call.origin):
        message = f"Refund {refund['id']} has a status of `{refund['status']}` and cannot be canceled."
        raise StripeError(message)
    return refund


@api_route("GET", "/v1/refunds", {**LIST_PARAMETERS, "charge": text(), "payment_intent": text()})
def list_all(call: Call) -> Json:
    """GET /v1/refunds"""
    return list_objects(call, "refund", chosen(call, "charge", "payment_intent"))


def _charge(call: Call) -> Json:
    params = call.params
    given = [name for name in ("charge", "payment_intent") if name in params]
    if not given:
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise StripeError(message, code="parameter_missing", param="charge")
    if len(given) == 2:
        message = "You may only specify one of these parameters: charge, payment_intent."
        raise StripeError(message, param="charge")
    if "charge" in params:
        charge = call.store.find("charge", params["charge"])
        if charge is None:
            raise missing_object("charge", params["charge"], "charge")
        return charge
    intent = call.store.find("payment_intent", params["payment_intent"])
    if intent is None:
        raise missing_object("payment_intent", params["payment_intent"], "payment_intent")
    charge = charges.of_intent(call.store, intent)
    if charge is None or charge["status"] != "succeeded":
        message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise StripeError(message, code="payment_intent_unexpected_state", param="payment_intent")
    return charge


def _found(call: Call) -> Json:
    refund = call.store.find("refund", call.id)
    if refund is None:
        raise missing_object("refund", call.id, "refund", 404)
    return refund
