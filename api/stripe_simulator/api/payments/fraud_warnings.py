"""/v1/radar/early_fraud_warnings: retrieve and list. Controls and pages make them."""

from stripe_simulator.core.errors import missing_object
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, chosen, list_objects
from stripe_simulator.protocol.parameters import text

_KIND = "radar.early_fraud_warning"


@api_route("GET", "/v1/radar/early_fraud_warnings/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/radar/early_fraud_warnings/{id}"""
    warning = call.store.find(_KIND, call.id)
    if warning is None:
        raise missing_object(_KIND, call.id, "early_fraud_warning", 404)
    return warning


@api_route(
    "GET", "/v1/radar/early_fraud_warnings", {**LIST_PARAMETERS, "charge": text(), "payment_intent": text()}
)
def list_all(call: Call) -> Json:
    """GET /v1/radar/early_fraud_warnings"""
    return list_objects(call, _KIND, chosen(call, "charge", "payment_intent"))
