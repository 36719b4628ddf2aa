"""/v1/account: whose key it is."""

from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route


@api_route("GET", "/v1/account", {})
def retrieve(call: Call) -> Json:
    """GET /v1/account"""
    active = bool(call.store.settings["charges_enabled"])
    return {
        "id": "acct_simulated",
        "object": "account",
        "business_type": "company",
        "charges_enabled": active,
        "country": "DE",
        "default_currency": "eur",
        "details_submitted": active,
        "email": "simulator@example.org",
        "payouts_enabled": active,
        "type": "standard",
    }
