"""/v1/prices: one-time and recurring; create, retrieve, update, list."""

from typing import Any

from stripe_simulator.api.catalog.products import inline_data, new_product
from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.store import Json, Store
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, chosen, list_objects
from stripe_simulator.protocol.parameters import (
    Check,
    array,
    boolean,
    currency,
    fields,
    integer,
    metadata,
    one_of,
    text,
)

_INLINE: dict[str, Check] = {
    "currency": currency,
    "product": text(),
    "product_data": inline_data,
    "recurring": fields(
        {
            "interval": one_of("day", "week", "month", "year"),
            "interval_count": integer(1, 1095),
            "usage_type": one_of("licensed"),
        },
        ["interval"],
    ),
    "tax_behavior": one_of("exclusive", "inclusive", "unspecified"),
    "unit_amount": integer(0),
}

price_data: Check = fields(_INLINE, ["currency", "unit_amount"])
"""``price_data`` of a line item."""


def new_price(store: Store, params: dict[str, Any], param: str, *, active: bool) -> Json:
    """Store a price of an existing or a new product. ``param`` names the parameter it came in. An inline
    price (``active`` false) serves one session only, and so does its product."""
    prefix = f"{param}[product]" if param else "product"
    data = dict(params)
    inline = data.pop("product_data", None)
    if (inline is None) == ("product" not in data):
        message = (
            f"You must specify either `{prefix}` or `{prefix.replace('product', 'product_data')}`, not both."
        )
        raise StripeError(message, code="parameter_missing", param=prefix)
    if inline is not None:
        data["product"] = new_product(store, inline, active=active)["id"]
    elif store.find("product", data["product"]) is None:
        raise missing_object("product", data["product"], prefix)
    recurring = data.get("recurring")
    if recurring:
        data["recurring"] = {"interval_count": 1, "meter": None, "usage_type": "licensed", **recurring}
    price = {
        "id": new_id("price"),
        "object": "price",
        "active": active,
        "billing_scheme": "per_unit",
        "created": store.now(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "nickname": None,
        "recurring": None,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount_decimal": str(data["unit_amount"]),
        **data,
        "metadata": merge_metadata({}, data.get("metadata", {})),
    }
    store.insert(price)
    return price


@api_route(
    "POST",
    "/v1/prices",
    {**_INLINE, "active": boolean, "lookup_key": text(200), "metadata": metadata, "nickname": text()},
    ["currency", "unit_amount"],
)
def create(call: Call) -> Json:
    """POST /v1/prices"""
    params = dict(call.params)
    active = params.pop("active", True)
    key = params.get("lookup_key")
    if (
        key
        and call.store.db.execute(
            "select 1 from objects where kind = 'price' and json_extract(body, '$.lookup_key') = ?", (key,)
        ).fetchone()
    ):
        raise StripeError(f"A price already uses the lookup key `{key}`.", param="lookup_key")
    return new_price(call.store, params, "", active=active)


@api_route("GET", "/v1/prices/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/prices/{id}"""
    return _found(call)


def _found(call: Call) -> Json:
    price = call.store.find("price", call.id)
    if price is None:
        raise missing_object("price", call.id, "price", 404)
    return price


@api_route(
    "POST",
    "/v1/prices/{id:str}",
    {"active": boolean, "lookup_key": text(200), "metadata": metadata, "nickname": text()},
)
def update(call: Call) -> Json:
    """POST /v1/prices/{id}: never its amount."""
    price, changes = _found(call), dict(call.params)
    if "metadata" in changes:
        changes["metadata"] = merge_metadata(price["metadata"], changes["metadata"])
    changed = {**price, **changes}
    call.store.update(changed)
    return changed


_FILTERS: dict[str, Check] = {
    "active": boolean,
    "currency": currency,
    "product": text(),
    "type": one_of("one_time", "recurring"),
}


@api_route("GET", "/v1/prices", {**LIST_PARAMETERS, **_FILTERS, "lookup_keys": array(text(200), 10)})
def list_all(call: Call) -> Json:
    """GET /v1/prices"""
    keys = call.params.get("lookup_keys")
    where = f"json_extract(body, '$.lookup_key') in ({', '.join('?' * len(keys))})" if keys else ""
    return list_objects(call, "price", chosen(call, *_FILTERS), where, keys)
