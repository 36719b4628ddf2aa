"""What a session sells: line items with an amount each."""

from typing import Any

from stripe_simulator.api.catalog.prices import new_price, price_data
from stripe_simulator.core.currencies import largest_charge, money, smallest_charge, step
from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.store import Json, Store
from stripe_simulator.protocol.parameters import Check, array, fields, integer, text

line_items: Check = array(
    fields({"price": text(), "price_data": price_data, "quantity": integer(1)}, ["quantity"])
)


def resolve(store: Store, items: list[dict[str, Any]]) -> list[Json]:
    """The line items with their prices; makes the inline prices. All have one currency. Raises
    what Stripe would."""
    if not items:
        raise StripeError("Missing required param: line_items.", code="parameter_missing", param="line_items")
    lines = [_resolve_one(store, item, f"line_items[{place}]") for place, item in enumerate(items)]
    currency = lines[0]["currency"]
    if any(line["currency"] != currency for line in lines):
        raise StripeError("All line items must have the same currency.", param="line_items")
    return lines


def check_mode(lines: list[Json], mode: str) -> None:
    """Recurring prices go with subscriptions, and only with them. All have one interval."""
    recurring = [line["price"]["recurring"] for line in lines if line["price"]["recurring"]]
    if mode == "payment" and recurring:
        message = (
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode "
            "or use only one-time prices."
        )
        raise StripeError(message, param="mode")
    if mode == "subscription" and not recurring:
        message = "You must provide at least one recurring price in `subscription` mode when using prices."
        raise StripeError(message, param="mode")
    if any(each != recurring[0] for each in recurring):
        raise StripeError("All recurring prices must have the same interval.", param="line_items")


def check_total(total: int, currency: str) -> None:
    """The total is nothing, or something Stripe would charge. Raises what Stripe would."""
    least, most = smallest_charge(currency), largest_charge(currency)
    if least is not None and 0 < total < least:
        message = f"The Checkout Session's total amount due must add up to at least {money(least, currency)}"
        raise StripeError(message, code="amount_too_small")
    if total > most:
        message = f"The Checkout Session's total amount must be no more than {money(most, currency)}"
        raise StripeError(message, code="amount_too_large")
    if total % step(currency):
        message = f"The total of {total} must be evenly divisible by {step(currency)} in {currency}."
        raise StripeError(message, code="parameter_invalid_integer", param="line_items")


def _resolve_one(store: Store, item: dict[str, Any], param: str) -> Json:
    if ("price" in item) == ("price_data" in item):
        message = f"You must specify either `{param}[price]` or `{param}[price_data]`, not both."
        raise StripeError(message, code="parameter_missing", param=f"{param}[price]")
    if "price" in item:
        price = store.find("price", item["price"])
        if price is None:
            raise missing_object("price", item["price"], f"{param}[price]")
        if not price["active"]:
            message = "The price specified is inactive. This field only accepts active prices."
            raise StripeError(message, param=f"{param}[price]")
    else:
        price = new_price(store, item["price_data"], f"{param}[price_data]", active=False)
    product = store.get("product", price["product"])
    amount = price["unit_amount"] * item["quantity"]
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": product["name"],
        "metadata": {},
        "price": price,
        "quantity": item["quantity"],
    }
