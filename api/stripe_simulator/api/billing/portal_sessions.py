"""/v1/billing_portal/sessions: a link to the page where a customer manages what they pay."""

from stripe_simulator.core import customer
from stripe_simulator.core.billing import portal
from stripe_simulator.core.errors import StripeError, missing_object
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
    if not call.store.settings["portal_saved"]:
        raise StripeError("No configuration was given, and nobody has saved the portal's settings yet.")
    if customer.find(call.store, params["customer"]) is None:
        raise missing_object("customer", params["customer"], "customer")
    return portal.new(call.store, params["customer"], params)
