"""/v1/subscriptions: create, retrieve, update, cancel, pause, resume, list."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stripe_simulator.core import customer
from stripe_simulator.core.billing import changes, clocks, cycle, subscriptions
from stripe_simulator.core.billing.subscriptions import KIND, Item, Plan
from stripe_simulator.core.checkout import discounts
from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.metadata import merge_metadata
from stripe_simulator.core.payments import methods
from stripe_simulator.core.store import Json
from stripe_simulator.protocol.endpoint import Call, api_route
from stripe_simulator.protocol.lists import LIST_PARAMETERS, chosen, list_objects
from stripe_simulator.protocol.parameters import (
    Check,
    array,
    boolean,
    fields,
    integer,
    metadata,
    one_of,
    text,
    unset_or,
    word_or,
)

_discounts = array(fields({"coupon": text(), "promotion_code": text()}), 1)
_proration = one_of("always_invoice", "create_prorations", "none")
_details = fields({"comment": text(), "feedback": text(50)})
_SHARED: dict[str, Check] = {
    "automatic_tax": fields({"enabled": boolean}, ["enabled"]),
    "cancel_at_period_end": boolean,
    "default_payment_method": text(),
    "description": text(500),
    "discounts": _discounts,
    "metadata": metadata,
    "off_session": boolean,
    "payment_behavior": one_of("allow_incomplete", "default_incomplete", "error_if_incomplete"),
    "proration_behavior": _proration,
    "trial_settings": fields(
        {
            "end_behavior": fields(
                {"missing_payment_method": one_of("cancel", "create_invoice", "pause")},
                ["missing_payment_method"],
            )
        },
        ["end_behavior"],
    ),
}
_CREATE: dict[str, Check] = {
    **_SHARED,
    "customer": text(),
    "items": array(fields({"price": text(), "quantity": integer(1)}, ["price"]), 20),
    "trial_end": word_or("now", integer(1)),
    "trial_period_days": integer(1, 730),
}
_UPDATE: dict[str, Check] = {
    **_SHARED,
    "billing_cycle_anchor": one_of("now", "unchanged"),
    "cancel_at": unset_or(integer(1)),
    "cancellation_details": _details,
    "items": array(fields({"id": text(), "price": text(), "quantity": integer(1), "deleted": boolean}), 20),
    "pause_collection": unset_or(
        fields(
            {
                "behavior": one_of("keep_as_draft", "mark_uncollectible", "void"),
                "resumes_at": unset_or(integer(1)),
            },
            ["behavior"],
        )
    ),
    "trial_end": word_or("now", integer(1)),
}


@api_route("POST", "/v1/subscriptions", _CREATE, ["customer", "items"])
def create(call: Call) -> Json:
    """POST /v1/subscriptions"""
    params, store = call.params, call.store
    buyer = customer.find(store, params["customer"])
    if buyer is None:
        raise missing_object("customer", params["customer"], "customer")
    with store.at(clocks.moment(store, buyer)):
        items = [
            Item(_price(call, item["price"], f"items[{place}][price]"), item.get("quantity", 1))
            for place, item in enumerate(params["items"])
        ]
        _check_items([item.price for item in items])
        plan = Plan(
            items,
            trial_end=_trial_end(call),
            method=_method(call, buyer["id"]),
            metadata=merge_metadata({}, params.get("metadata", {})),
            description=params.get("description"),
            discount=_discount(call, items, buyer["id"]),
            taxed=params.get("automatic_tax", {}).get("enabled", False),
            cancel_at_period_end=params.get("cancel_at_period_end", False),
            missing_method=_missing_method(params),
        )
        behavior = params.get("payment_behavior", "allow_incomplete")
        return cycle.begin(store, buyer, plan, call.origin, behavior=behavior)


@api_route("GET", "/v1/subscriptions/{id:str}", {})
def retrieve(call: Call) -> Json:
    """GET /v1/subscriptions/{id}"""
    return _found(call)


@api_route("POST", "/v1/subscriptions/{id:str}", _UPDATE)
def update(call: Call) -> Json:
    """POST /v1/subscriptions/{id}"""
    params, store, origin = call.params, call.store, call.origin
    with _living(call) as subscription:
        _update_plain(call, subscription)
        if "items" in params or params.get("billing_cycle_anchor") == "now":
            changes.change_items(
                store,
                subscription,
                _wanted(call, subscription),
                params.get("proration_behavior", "create_prorations"),
                origin,
                anchor_now=params.get("billing_cycle_anchor") == "now",
            )
        if "trial_end" in params:
            end = None if params["trial_end"] == "now" else params["trial_end"]
            changes.end_trial(store, store.get(KIND, call.id), end, origin)
        subscription = store.get(KIND, call.id)
        if "cancel_at_period_end" in params:
            with_period = params["cancel_at_period_end"]
            changes.schedule_end(store, subscription, None, origin, with_period=with_period)
        elif "cancel_at" in params:
            changes.schedule_end(store, subscription, params["cancel_at"], origin)
        return store.get(KIND, call.id)


@api_route(
    "DELETE",
    "/v1/subscriptions/{id:str}",
    {"cancellation_details": _details, "invoice_now": boolean, "prorate": boolean},
)
def cancel(call: Call) -> Json:
    """DELETE /v1/subscriptions/{id}: it ends now."""
    with _living(call) as subscription:
        subscription["cancellation_details"] |= call.params.get("cancellation_details", {})
        changes.cancel(
            call.store,
            subscription,
            call.origin,
            prorate=call.params.get("prorate", False),
            invoice_now=call.params.get("invoice_now", False),
        )
        return call.store.get(KIND, call.id)


_unused = fields({"type": one_of("item_current_period_start", "none", "now")}, ["type"])
_PAUSE: dict[str, Check] = {
    "bill_for": fields({"unused_time_from": _unused}),
    "type": one_of("subscription"),
}


@api_route("POST", "/v1/subscriptions/{id:str}/pause", _PAUSE)
def pause(call: Call) -> Json:
    """POST /v1/subscriptions/{id}/pause"""
    kind = call.params.get("bill_for", {}).get("unused_time_from", {}).get("type", "now")
    with _living(call) as subscription:
        if subscription["status"] not in ("active", "trialing", "past_due"):
            raise StripeError(f"A subscription that is {subscription['status']} cannot be paused.")
        changes.pause(call.store, subscription, call.origin, credit=kind != "none")
        return call.store.get(KIND, call.id)


@api_route(
    "POST",
    "/v1/subscriptions/{id:str}/resume",
    {"billing_cycle_anchor": one_of("now"), "proration_behavior": _proration},
)
def resume(call: Call) -> Json:
    """POST /v1/subscriptions/{id}/resume"""
    with _living(call) as subscription:
        if subscription["status"] != "paused":
            message = f"Only a paused subscription can be resumed; this one is {subscription['status']}."
            raise StripeError(message)
        changes.resume(call.store, subscription, call.origin)
        return call.store.get(KIND, call.id)


_FILTERS: dict[str, Check] = {
    "collection_method": one_of("charge_automatically", "send_invoice"),
    "customer": text(),
    "price": text(),
    "status": one_of(
        *("active", "all", "canceled", "ended", "incomplete", "incomplete_expired"),
        *("past_due", "paused", "trialing", "unpaid"),
    ),
    "test_clock": text(),
}


@api_route("GET", "/v1/subscriptions", {**LIST_PARAMETERS, **_FILTERS})
def list_all(call: Call) -> Json:
    """GET /v1/subscriptions: without those that are canceled and those of test clocks, unless asked for."""
    params = call.params
    filters = chosen(call, "collection_method", "customer", "test_clock")
    conditions, args = ["true"], []
    status = params.get("status")
    if status is None:
        conditions.append("json_extract(body, '$.status') <> 'canceled'")
    elif status == "ended":
        conditions.append("json_extract(body, '$.status') in ('canceled', 'incomplete_expired')")
    elif status != "all":
        filters["status"] = status
    if "customer" not in params and "test_clock" not in params:
        conditions.append("json_extract(body, '$.test_clock') is null")
    if "price" in params:
        conditions.append(
            "exists (select 1 from json_each(body, '$.items.data') as item"
            " where json_extract(item.value, '$.price.id') = ?)"
        )
        args.append(params["price"])
    return list_objects(call, KIND, filters, " and ".join(conditions), args)


@contextmanager
def _living(call: Call) -> Iterator[Json]:
    """The subscription, at the time of its customer. Raises when it is over."""
    subscription = _found(call)
    if cycle.is_over(subscription):
        raise missing_object(KIND, call.id, "id", 404)
    buyer = call.store.get("customer", subscription["customer"])
    with call.store.at(clocks.moment(call.store, buyer)):
        yield subscription


def _update_plain(call: Call, subscription: Json) -> None:
    params, store = call.params, call.store
    changed: dict[str, Any] = chosen(call, "description", "pause_collection", "trial_settings")
    if changed.get("pause_collection"):
        changed["pause_collection"] = {"resumes_at": None, **changed["pause_collection"]}
    if "metadata" in params:
        changed["metadata"] = merge_metadata(subscription["metadata"], params["metadata"])
    if "default_payment_method" in params:
        changed["default_payment_method"] = _method(call, subscription["customer"])
    if "cancellation_details" in params:
        changed["cancellation_details"] = {
            **subscription["cancellation_details"],
            **params["cancellation_details"],
        }
    inner = store.inner(call.id)
    if "discounts" in params:
        items = [Item(item["price"], item["quantity"]) for item in subscription["items"]["data"]]
        inner |= {"discount": _discount(call, items, subscription["customer"]), "billed": 0}
    subscriptions.change(store, subscription, changed, inner, call.origin)


def _wanted(call: Call, subscription: Json) -> list[tuple[str | None, Item | None]]:
    """The changes of items: an item without an id is another one."""
    known = {item["id"]: item for item in subscription["items"]["data"]}
    wanted: list[tuple[str | None, Item | None]] = []
    if subscription["status"] == "incomplete" and "items" in call.params:
        raise StripeError("The items of an incomplete subscription cannot be changed.")
    for place, item in enumerate(call.params.get("items", [])):
        id, param = item.get("id"), f"items[{place}]"
        if id is not None and id not in known:
            raise missing_object("subscription item", id, f"{param}[id]")
        if item.get("deleted"):
            wanted.append((id, None))
            known.pop(id, None)
            continue
        before = known.get(id, {})
        price = _price(call, item["price"], f"{param}[price]") if "price" in item else before.get("price")
        if price is None:
            raise StripeError(f"Missing required param: {param}[price].", param=f"{param}[price]")
        wanted.append((id, Item(price, item.get("quantity", before.get("quantity", 1)))))
        known[id or f"new {place}"] = {"price": price}
    if not known:
        raise StripeError("A subscription must have at least one item.", param="items")
    _check_items([item["price"] for item in known.values()])
    return wanted


def _check_items(prices: list[Json]) -> None:
    if any(price["currency"] != prices[0]["currency"] for price in prices):
        raise StripeError("All prices of a subscription must have the same currency.", param="items")
    if any(price["recurring"] != prices[0]["recurring"] for price in prices):
        raise StripeError("All prices of a subscription must have the same interval.", param="items")
    if len({price["id"] for price in prices}) < len(prices):
        raise StripeError("Two items of a subscription cannot have the same price.", param="items")


def _price(call: Call, id: str, param: str) -> Json:
    price = call.store.find("price", id)
    if price is None:
        raise missing_object("price", id, param)
    if not price["active"]:
        message = "The price specified is inactive. This field only accepts active prices."
        raise StripeError(message, param=param)
    if not price["recurring"]:
        raise StripeError(
            "The price specified is set to `type=one_time` but this field only accepts prices with "
            "`type=recurring`.",
            param=param,
        )
    return price


def _trial_end(call: Call) -> int | None:
    days, end = call.params.get("trial_period_days"), call.params.get("trial_end")
    if days and end:
        raise StripeError("You may only specify one of these parameters: trial_end, trial_period_days.")
    if days:
        return int(call.store.now() + days * subscriptions.DAY)
    if end is None or end == "now":
        return None
    if end <= call.store.now():
        raise StripeError("`trial_end` must be in the future.", param="trial_end")
    return int(end)


def _method(call: Call, buyer: str) -> str | None:
    id = call.params.get("default_payment_method")
    if id is None:
        return None
    method = methods.resolve(call.store, id, "default_payment_method")
    if method["customer"] != buyer:
        message = f"The customer does not have a payment method with the ID {id}. The payment method must be "
        raise StripeError(message + "attached to the customer.", param="default_payment_method")
    return str(method["id"])


def _discount(call: Call, items: list[Item], buyer: str) -> Json | None:
    given: Json | None = next(iter(call.params.get("discounts", [])), None)
    if given:
        total = sum(item.price["unit_amount"] * item.quantity for item in items)
        discounts.find(call.store, given, items[0].price["currency"], total, buyer, "discounts[0]")
        discounts.redeem(call.store, given, buyer)
    return given


def _missing_method(params: Json) -> str:
    end = params.get("trial_settings", {}).get("end_behavior", {})
    return str(end.get("missing_payment_method", "create_invoice"))


def _found(call: Call) -> Json:
    subscription = call.store.find(KIND, call.id)
    if subscription is None:
        raise missing_object(KIND, call.id, "id", 404)
    return subscription
