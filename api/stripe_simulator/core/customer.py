"""The customer object, made by the API or by a Checkout Session with ``customer_creation=always``."""

from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.store import Json, Store


def create(store: Store, params: Json, origin: Origin = PAY_PAGE) -> Json:
    """Store a customer and record the event. Call inside a transaction."""
    customer = {
        "id": new_id("cus", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": store.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "livemode": False,
        "name": None,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
        **params,
        "metadata": merge_metadata({}, params.get("metadata", {})),
    }
    store.insert(customer)
    emit(store, "customer.created", customer, origin)
    return customer


def find(store: Store, id: str) -> Json | None:
    """The customer; None also when it was deleted."""
    found = store.find("customer", id)
    return None if found is None or found.get("deleted") else found


def details(email: str | None, customer: Json | None = None) -> Json:
    """A session's ``customer_details``."""
    known = customer or {}
    return {
        "address": None,
        "email": email,
        "name": known.get("name"),
        "phone": known.get("phone"),
        "tax_exempt": "none",
        "tax_ids": [],
    }
