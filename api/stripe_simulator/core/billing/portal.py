"""Sessions of the billing portal: a link for one customer."""

from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.store import Json, Store

KIND = "billing_portal.session"
CONFIGURATION = "bpc_simulated"


def products(store: Store) -> list[Json]:
    """What customers can change to: every recurring price that is active."""
    found: dict[str, list[str]] = {}
    for price in reversed(store.newest("price", 1000)):
        if price["type"] == "recurring" and price["active"]:
            found.setdefault(price["product"], []).append(price["id"])
    return [
        {
            "adjustable_quantity": {"enabled": False, "maximum": None, "minimum": 1},
            "prices": prices,
            "product": product,
        }
        for product, prices in found.items()
    ]


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
