"""/v1/payment_intents, to read."""

from stripe_simulator.core.errors import missing_object
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.parameters import text


@api_route("GET", "/v1/payment_intents/{id:str}", {"client_secret": text()})
def retrieve(call: Call) -> Json:
    """GET /v1/payment_intents/{id}"""
    intent = call.store.find("payment_intent", call.id)
    if intent is None:
        raise missing_object("payment_intent", call.id, "intent", 404)
    return intent
