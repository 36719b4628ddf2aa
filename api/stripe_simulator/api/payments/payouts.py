"""/v1/payouts: create, retrieve, list. A control makes automatic ones."""

from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.payments import balance
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, chosen, list_objects, moments
from stripe_simulator.protocol.parameters import Check, currency, integer, metadata, one_of, text

_CREATE: dict[str, Check] = {
    "amount": integer(1),
    "currency": currency,
    "description": text(),
    "metadata": metadata,
    "statement_descriptor": text(22),
}
_FILTERS: dict[str, Check] = {
    "arrival_date": moments,
    "status": one_of("pending", "paid", "failed", "canceled", "in_transit"),
}


@api_route("POST", "/v1/payouts", _CREATE, ["amount", "currency"])
def create(call: Call) -> Json:
    """POST /v1/payouts"""
    params = call.params
    if params["amount"] > balance.available(call.store, params["currency"]):
        raise StripeError("You have insufficient funds in your Stripe account.", code="balance_insufficient")
    params["metadata"] = merge_metadata({}, params.get("metadata", {}))
    return balance.new_payout(call.store, params["amount"], params["currency"], params, call.origin)


@api_route("GET", "/v1/payouts/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/payouts/{id}"""
    payout = call.store.find("payout", call.id)
    if payout is None:
        raise missing_object("payout", call.id, "payout", 404)
    return payout


@api_route("GET", "/v1/payouts", {**LIST_PARAMETERS, **_FILTERS})
def list_all(call: Call) -> Json:
    """GET /v1/payouts"""
    return list_objects(call, "payout", chosen(call, "status"))
