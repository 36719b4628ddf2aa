"""Lines of invoices."""

from dataclasses import dataclass, field
from typing import Any

from stripe_simulator.core.checkout import totals
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.store import Json


@dataclass(frozen=True)
class Line:
    """What an invoice is for. ``item`` is the subscription item that it bills, with its ``subscription``."""

    price: Json
    quantity: int
    amount: int
    start: int
    end: int
    description: str
    subscription: str | None = None
    item: str | None = None
    proration: bool = False
    metadata: dict[str, str] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """As JSON, for a line that waits for its invoice."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def body(line: Line, invoice_id: str, off: int, discount_id: str | None, *, taxed: bool) -> Json:
    """The line as the API shows it. ``off`` is its part of the discount."""
    inclusive = line.price["tax_behavior"] == "inclusive"
    net = line.amount - off
    taxes = []
    if taxed:
        taxes.append(tax_entry(net, totals.tax(net, inclusive=inclusive), inclusive=inclusive))
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": line.amount,
        "currency": line.price["currency"],
        "description": line.description,
        "discount_amounts": [{"amount": off, "discount": discount_id}] if discount_id else [],
        "discountable": not line.proration,
        "discounts": [discount_id] if discount_id else [],
        "invoice": invoice_id,
        "livemode": False,
        "metadata": line.metadata,
        "parent": _parent(line),
        "period": {"start": line.start, "end": line.end},
        "pretax_credit_amounts": [],
        "pricing": {
            "type": "price_details",
            "price_details": {"price": line.price["id"], "product": line.price["product"]},
            "unit_amount_decimal": str(line.price["unit_amount"]),
        },
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "subscription": line.subscription,
        "subtotal": line.amount,
        "taxes": taxes,
    }


def tax_entry(net: int, amount: int, *, inclusive: bool) -> Json:
    """One entry of ``taxes`` or ``total_taxes``."""
    return {
        "amount": amount,
        "tax_behavior": "inclusive" if inclusive else "exclusive",
        "tax_rate_details": {"tax_rate": "txr_simulated"},
        "taxability_reason": "standard_rated",
        "taxable_amount": net - amount if inclusive else net,
        "type": "tax_rate_details",
    }


def _parent(line: Line) -> Json | None:
    if line.subscription is None:
        return None
    return {
        "type": "subscription_item_details",
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": line.proration,
            "proration_details": {"credited_items": None},
            "subscription": line.subscription,
            "subscription_item": line.item,
        },
    }
