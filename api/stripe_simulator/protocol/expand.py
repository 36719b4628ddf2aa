"""``expand[]``: put the object in the place of its id."""

from typing import Any

from stripe_simulator.core.billing import portal
from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.store import Json, Store

_KINDS = {
    "ch": "charge",
    "cs": "checkout.session",
    "cus": "customer",
    "dp": "dispute",
    "clock": "test_helpers.test_clock",
    "in": "invoice",
    "inpay": "invoice_payment",
    "pi": "payment_intent",
    "pm": "payment_method",
    "po": "payout",
    "price": "price",
    "prod": "product",
    "promo": "promotion_code",
    "re": "refund",
    "seti": "setup_intent",
    "sub": "subscription",
    "txn": "balance_transaction",
}


def expand(store: Store, result: Json, paths: list[str]) -> Json:
    """Expand dotted paths: ``customer``, ``data.payment_intent``, ``line_items.data.price.product``."""
    for path in paths:
        if len(keys := path.split(".")) > 4:
            raise StripeError("You cannot expand more than 4 levels of a property.", param="expand")
        _expand_at(store, result, keys, path)
    return result


def _expand_at(store: Store, place: Any, keys: list[str], path: str) -> None:
    if isinstance(place, list):
        for item in place:
            _expand_at(store, item, keys, path)
        return
    if place is None:
        return
    key, *rest = keys
    if isinstance(place, dict) and key == "line_items" and place.get("object") == "checkout.session":
        place[key] = line_item_list(store, place["id"])
    if isinstance(place, dict) and key == "products" and "default_allowed_updates" in place:
        place[key] = portal.products(store)  # of a portal's configuration
    if not isinstance(place, dict) or key not in place:
        raise StripeError(f"This property cannot be expanded ({path}).", param="expand")
    value = place[key]
    if isinstance(value, str):
        kind = _KINDS.get(value.partition("_")[0]) if key != "id" else None
        found = store.find(kind, value) if kind else None
        if found is None:
            raise StripeError(f"This property cannot be expanded ({path}).", param="expand")
        place[key] = found
    if rest:
        _expand_at(store, place[key], rest, path)


def line_item_list(store: Store, session_id: str, limit: int = 10, after: str | None = None) -> Json:
    """One page of a session's line items, in their order. Raises when ``after`` is not one of them."""
    items = store.inner(session_id)["line_items"]
    if after is not None:
        ids = [item["id"] for item in items]
        if after not in ids:
            raise missing_object("item", after, "starting_after")
        items = items[ids.index(after) + 1 :]
    return {
        "object": "list",
        "data": items[:limit],
        "has_more": len(items) > limit,
        "url": f"/v1/checkout/sessions/{session_id}/line_items",
    }
