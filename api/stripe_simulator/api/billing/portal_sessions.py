"""/v1/billing_portal/sessions: a link to the page where a customer manages what they pay."""

from stripe_simulator.core import customer
from stripe_simulator.core.errors import missing_object
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.parameters import Check, text, url

_CREATE: dict[str, Check] = {
    "configuration": text(),
    "customer": text(),
    "locale": text(),
    "return_url": url,
}


@api_route("POST", "/v1/billing_portal/sessions", _CREATE, ["customer"])
def create(call: Call) -> Json:
    """POST /v1/billing_portal/sessions"""
    params = call.params
    if customer.find(call.store, params["customer"]) is None:
        raise missing_object("customer", params["customer"], "customer")
    id = new_id("bps")
    session = {
        "id": id,
        "object": "billing_portal.session",
        "after_expiration": None,
        "configuration": params.get("configuration", "bpc_simulated"),
        "created": call.store.real_now(),
        "customer": params["customer"],
        "customer_account": None,
        "flow": None,
        "livemode": False,
        "locale": params.get("locale"),
        "on_behalf_of": None,
        "return_url": params.get("return_url"),
        "url": f"{call.store.public_url}/portal/{id}",
    }
    call.store.insert(session)
    return session
