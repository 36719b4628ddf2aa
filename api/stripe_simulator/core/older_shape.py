"""Objects as API versions before 2025 showed them, for endpoints that were made then.

In 2025 an invoice lost its ``subscription``, ``payment_intent`` and ``charge``, a line its ``price``, a
subscription its period, a charge its ``invoice``."""

from stripe_simulator.core.store import Json, Store

VERSION = "2024-06-20"


def of(store: Store, object: Json) -> Json:
    """The object in the older shape, or itself when its shape has not changed."""
    match object["object"]:
        case "invoice":
            return _invoice(store, object)
        case "subscription":
            return _subscription(object)
        case "charge":
            intent = object["payment_intent"]
            return {**object, "invoice": store.inner(intent).get("invoice") if intent else None}
        case "payment_intent":
            return {**object, "invoice": store.inner(object["id"]).get("invoice")}
    return object


def _invoice(store: Store, invoice: Json) -> Json:
    payments = invoice["payments"]["data"]
    intent_id = payments[0]["payment"]["payment_intent"] if payments else None
    intent = store.get("payment_intent", intent_id) if intent_id else None
    details = (invoice["parent"] or {}).get("subscription_details")
    new = ("parent", "payments", "total_taxes", "amount_overpaid", "amount_paid_off_stripe")
    return {name: value for name, value in invoice.items() if name not in new} | {
        "charge": intent["latest_charge"] if intent else None,
        "discount": None,
        "lines": {
            **invoice["lines"],
            "data": [_line(store, line) for line in invoice["lines"]["data"]],
        },
        "paid": invoice["status"] == "paid",
        "payment_intent": intent_id,
        "subscription": details["subscription"] if details else None,
        "subscription_details": {"metadata": details["metadata"]} if details else {"metadata": None},
        "tax": sum(tax["amount"] for tax in invoice["total_taxes"]) if invoice["total_taxes"] else None,
    }


def _line(store: Store, line: Json) -> Json:
    item = (line["parent"] or {}).get("subscription_item_details") or {}
    new = ("parent", "pricing", "taxes", "subtotal", "quantity_decimal")
    return {name: value for name, value in line.items() if name not in new} | {
        "price": store.get("price", line["pricing"]["price_details"]["price"]),
        "proration": item.get("proration", False),
        "subscription": item.get("subscription"),
        "subscription_item": item.get("subscription_item"),
        "tax_amounts": [{"amount": tax["amount"]} for tax in line["taxes"]],
        "type": "subscription" if item and not item["proration"] else "invoiceitem",
    }


def _subscription(subscription: Json) -> Json:
    items = subscription["items"]["data"]
    period = ("current_period_start", "current_period_end")
    data = [{name: value for name, value in item.items() if name not in period} for item in items]
    return {
        **subscription,
        "discount": None,
        "items": {**subscription["items"], "data": data},
        **{name: items[0][name] for name in period},
    }
