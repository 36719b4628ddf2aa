"""Sessions of the billing portal: a link for one customer."""

from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.store import Json, Store

KIND = "billing_portal.session"
CONFIGURATION = "bpc_simulated"


def new(store: Store, customer: str, params: Json) -> Json:
    """Store a session. Its ``url`` is the page."""
    id = new_id("bps")
    session = {
        "id": id,
        "object": KIND,
        "after_expiration": None,
        "configuration": params.get("configuration", CONFIGURATION),
        "created": store.real_now(),
        "customer": customer,
        "customer_account": None,
        "flow": None,
        "livemode": False,
        "locale": params.get("locale"),
        "on_behalf_of": None,
        "return_url": params.get("return_url"),
        "url": f"{store.public_url}/portal/{id}",
    }
    store.insert(session)
    return session
