"""The customer object, made by the API or by a Checkout Session."""

import secrets

from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.store import Json, Store

NO_SETTINGS: Json = {
    "custom_fields": None,
    "default_payment_method": None,
    "footer": None,
    "rendering_options": None,
}


def create(store: Store, params: Json, origin: Origin = PAY_PAGE) -> Json:
    """Store a customer and record the event. Call inside a transaction."""
    customer = {
        "id": new_id("cus", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": store.now(),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": secrets.token_hex(4).upper(),
        "livemode": False,
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
        **params,
        "invoice_settings": {**NO_SETTINGS, **params.get("invoice_settings", {})},
        "metadata": merge_metadata({}, params.get("metadata", {})),
    }
    store.insert(customer)
    emit(store, "customer.created", customer, origin)
    return customer


def change(store: Store, customer: Json, changes: Json, origin: Origin = PAY_PAGE) -> Json:
    """Store other members of a customer, and report what they were."""
    previous = {name: customer[name] for name, value in changes.items() if customer[name] != value}
    customer.update(changes)
    store.update(customer)
    if previous:
        emit(store, "customer.updated", customer, origin, previous)
    return customer


def find(store: Store, id: str) -> Json | None:
    """The customer; None also when it was deleted."""
    found = store.find("customer", id)
    return None if found is None or found.get("deleted") else found


def details(email: str | None, customer: Json | None = None) -> Json:
    """A session's ``customer_details``."""
    known = customer or {}
    return {
        "address": known.get("address"),
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": known.get("name"),
        "phone": known.get("phone"),
        "tax_exempt": "none",
        "tax_ids": [],
    }
