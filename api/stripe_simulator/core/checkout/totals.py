"""What a session or an invoice costs: its lines, less a discount, with tax."""

from collections.abc import Sequence

from stripe_simulator.core.store import Json

TAX_COUNTRY = "DE"
"""Where a buyer is who has not said where."""
TAX_PERCENT = 19


def discount(amounts: Sequence[int], coupon: Json | None) -> list[int]:
    """What a coupon takes from each amount: a part of each, or its amount spread over them."""
    total = sum(amounts)
    if coupon is None or total <= 0:
        return [0] * len(amounts)
    if coupon["percent_off"] is not None:
        off = round(total * coupon["percent_off"] / 100)
    else:
        off = min(total, coupon["amount_off"])
    parts, left = [], off
    for amount in amounts:
        part = min(amount, round(off * amount / total))
        parts.append(min(part, left))
        left -= parts[-1]
    for place, amount in enumerate(amounts):  # what rounding has left over
        more = min(left, amount - parts[place])
        parts[place] += more
        left -= more
    return parts


def tax(amount: int, *, inclusive: bool) -> int:
    """The tax on an amount, or in it."""
    return round(amount * TAX_PERCENT / (100 + TAX_PERCENT if inclusive else 100))


def price(lines: list[Json], coupon: Json | None, *, taxed: bool) -> None:
    """Set the amounts of a session's lines."""
    taken = discount([line["amount_subtotal"] for line in lines], coupon)
    for line, off in zip(lines, taken, strict=True):
        inclusive = line["price"]["tax_behavior"] == "inclusive"
        net = line["amount_subtotal"] - off
        due = tax(net, inclusive=inclusive) if taxed else 0
        line.update(amount_discount=off, amount_tax=due, amount_total=net if inclusive else net + due)


def sums(lines: list[Json]) -> Json:
    """The amounts of a session whose lines are priced."""
    return {
        "amount_subtotal": sum(line["amount_subtotal"] for line in lines),
        "amount_total": sum(line["amount_total"] for line in lines),
        "total_details": {
            "amount_discount": sum(line["amount_discount"] for line in lines),
            "amount_shipping": 0,
            "amount_tax": sum(line["amount_tax"] for line in lines),
        },
    }
