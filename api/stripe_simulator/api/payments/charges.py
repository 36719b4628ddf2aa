"""/v1/charges: retrieve and list. PaymentIntents make them."""

from stripe_simulator.core.errors import missing_object
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, chosen, list_objects
from stripe_simulator.protocol.parameters import text


@api_route("GET", "/v1/charges/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/charges/{id}"""
    charge = call.store.find("charge", call.id)
    if charge is None:
        raise missing_object("charge", call.id, "id", 404)
    return charge


@api_route("GET", "/v1/charges", {**LIST_PARAMETERS, "customer": text(), "payment_intent": text()})
def list_all(call: Call) -> Json:
    """GET /v1/charges"""
    return list_objects(call, "charge", chosen(call, "customer", "payment_intent"))
