"""/v1/coupons: create, retrieve, delete, list."""

from typing import Any

from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, list_objects
from stripe_simulator.protocol.parameters import Check, currency, integer, metadata, one_of, percent, text

_CREATE: dict[str, Check] = {
    "amount_off": integer(1),
    "currency": currency,
    "duration": one_of("forever", "once", "repeating"),
    "duration_in_months": integer(1),
    "id": text(200),
    "max_redemptions": integer(1),
    "metadata": metadata,
    "name": text(40),
    "percent_off": percent,
    "redeem_by": integer(1),
}


@api_route("POST", "/v1/coupons", _CREATE)
def create(call: Call) -> Json:
    """POST /v1/coupons"""
    params = dict(call.params)
    _check(params)
    id = params.pop("id", None) or new_id("", 8).lstrip("_")
    if call.store.find("coupon", id):
        raise StripeError("Coupon already exists.", code="resource_already_exists", param="id")
    coupon = {
        "object": "coupon",
        "amount_off": None,
        "created": call.store.now(),
        "currency": None,
        "duration": "once",
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": None,
        "name": None,
        "percent_off": None,
        "redeem_by": None,
        **params,
        "id": id,
        "metadata": merge_metadata({}, params.get("metadata", {})),
        "times_redeemed": 0,
        "valid": True,
    }
    call.store.insert(coupon)
    return coupon


@api_route("GET", "/v1/coupons/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/coupons/{id}"""
    return _found(call)


@api_route("DELETE", "/v1/coupons/{id:str}", {})
def delete(call: Call) -> Json:
    """DELETE /v1/coupons/{id}: nobody can use it any more."""
    call.store.update({**_found(call), "valid": False})
    return {"id": call.id, "object": "coupon", "deleted": True}


@api_route("GET", "/v1/coupons", LIST_PARAMETERS)
def list_all(call: Call) -> Json:
    """GET /v1/coupons"""
    return list_objects(call, "coupon", {})


def _check(params: dict[str, Any]) -> None:
    if ("amount_off" in params) == ("percent_off" in params):
        raise StripeError("Must provide percent_off or amount_off, not both.", param="percent_off")
    if "amount_off" in params and "currency" not in params:
        raise StripeError(
            "Must provide currency with amount_off.", code="parameter_missing", param="currency"
        )
    if (params.get("duration") == "repeating") != ("duration_in_months" in params):
        message = "duration_in_months goes with the duration `repeating`, and only with it."
        raise StripeError(message, param="duration_in_months")


def _found(call: Call) -> Json:
    coupon = call.store.find("coupon", call.id)
    if coupon is None:
        raise missing_object("coupon", call.id, "coupon", 404)
    return coupon
