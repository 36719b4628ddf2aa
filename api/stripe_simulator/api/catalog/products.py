"""/v1/products: enough for prices to belong to one."""

from typing import Any

from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.store import Json, Store
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, list_objects
from stripe_simulator.protocol.parameters import (
    Check,
    array,
    boolean,
    fields,
    metadata,
    text,
    url,
)

DATA: dict[str, Check] = {
    "description": text(unset=True),
    "images": array(url, 8),
    "metadata": metadata,
    "name": text(),
}

inline_data: Check = fields(DATA, ["name"])
"""``product_data`` of a price."""


def new_product(store: Store, params: dict[str, Any], *, active: bool) -> Json:
    """Store a product. Raises when the id it asks for exists."""
    id = params.get("id") or new_id("prod", 14)
    if store.find("product", id):
        raise StripeError("Product already exists.", code="resource_already_exists", param="id")
    product = {
        "object": "product",
        "active": active,
        "created": store.now(),
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": store.now(),
        "url": None,
        **params,
        "id": id,
        "metadata": merge_metadata({}, params.get("metadata", {})),
    }
    store.insert(product)
    return product


@api_route("POST", "/v1/products", {**DATA, "id": text(255), "active": boolean}, ["name"])
def create(call: Call) -> Json:
    """POST /v1/products"""
    params = dict(call.params)
    return new_product(call.store, params, active=params.pop("active", True))


@api_route("GET", "/v1/products/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/products/{id}"""
    product = call.store.find("product", call.id)
    if product is None:
        raise missing_object("product", call.id, "id", 404)
    return product


@api_route("GET", "/v1/products", {**LIST_PARAMETERS, "active": boolean})
def list_all(call: Call) -> Json:
    """GET /v1/products"""
    return list_objects(call, "product", {key: call.params[key] for key in ["active"] if key in call.params})
