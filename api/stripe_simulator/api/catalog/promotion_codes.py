"""/v1/promotion_codes: create, retrieve, switch on and off, list."""

import secrets

from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, chosen, list_objects
from stripe_simulator.protocol.parameters import (
    Check,
    boolean,
    currency,
    fields,
    integer,
    metadata,
    one_of,
    text,
)

_KIND = "promotion_code"
_CREATE: dict[str, Check] = {
    "active": boolean,
    "code": text(500),
    "customer": text(),
    "expires_at": integer(1),
    "max_redemptions": integer(1),
    "metadata": metadata,
    "promotion": fields({"type": one_of("coupon"), "coupon": text()}, ["type", "coupon"]),
    "restrictions": fields(
        {
            "first_time_transaction": boolean,
            "minimum_amount": integer(1),
            "minimum_amount_currency": currency,
        }
    ),
}


@api_route("POST", "/v1/promotion_codes", _CREATE, ["promotion"])
def create(call: Call) -> Json:
    """POST /v1/promotion_codes"""
    params = dict(call.params)
    store = call.store
    if store.find("coupon", params["promotion"]["coupon"]) is None:
        raise missing_object("coupon", params["promotion"]["coupon"], "promotion[coupon]")
    if "customer" in params and store.find("customer", params["customer"]) is None:
        raise missing_object("customer", params["customer"], "customer")
    code = params.setdefault("code", secrets.token_hex(4).upper())
    if any(other["active"] for other in store.where(_KIND, "code", code)):
        message = f"An active promotion code with `code: {code}` already exists."
        raise StripeError(message, code="resource_already_exists", param="code")
    limits = {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None}
    promotion = {
        "id": new_id("promo"),
        "object": _KIND,
        "active": True,
        "created": store.now(),
        "customer": None,
        "customer_account": None,
        "expires_at": None,
        "livemode": False,
        "max_redemptions": None,
        **params,
        "metadata": merge_metadata({}, params.get("metadata", {})),
        "restrictions": {**limits, **params.get("restrictions", {})},
        "times_redeemed": 0,
    }
    store.insert(promotion)
    return promotion


@api_route("GET", "/v1/promotion_codes/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/promotion_codes/{id}"""
    return _found(call)


@api_route("POST", "/v1/promotion_codes/{id:str}", {"active": boolean, "metadata": metadata})
def update(call: Call) -> Json:
    """POST /v1/promotion_codes/{id}"""
    promotion = _found(call)
    if "metadata" in call.params:
        promotion["metadata"] = merge_metadata(promotion["metadata"], call.params["metadata"])
    promotion["active"] = call.params.get("active", promotion["active"])
    call.store.update(promotion)
    return promotion


@api_route("GET", "/v1/promotion_codes", {**LIST_PARAMETERS, "active": boolean, "code": text()})
def list_all(call: Call) -> Json:
    """GET /v1/promotion_codes"""
    return list_objects(call, _KIND, chosen(call, "active", "code"))


def _found(call: Call) -> Json:
    promotion = call.store.find(_KIND, call.id)
    if promotion is None:
        raise missing_object("promotion code", call.id, "promotion_code", 404)
    return promotion
