"""The prices at Stripe of packs and plans, and the portal in which customers change plans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import stripe

from pgcredits.bank.stripe_check.bank_side import Sold
from pgcredits.bank.stripe_check.line import Line, ok, unknown, wrong
from pgcredits.bank.stripe_check.reading import ForbiddenError, Json, get

_CONFIGURED = "give the right one in PGCREDITS_STRIPE_PRICES, and apply the price list again"
PRODUCTS = "features.subscription_update.products"  # Stripe leaves them out unless they are asked for
_PORTAL = "Settings → Billing → Customer portal in Stripe's dashboard"


def check(client: stripe.StripeClient, sold: Sequence[Sold], mode: str) -> Iterator[Line]:
    """Raises UnreadableError, UnknownKeyError."""
    priced = [each for each in sold if each.price_id]
    for each in sold:
        if each.price_id is None and each.kind == "plan":
            yield unknown(
                f"price of {each}",
                "it has none at Stripe: it can be sold, but customers cannot change to it or from it",
                "make a recurring price, and name it in PGCREDITS_STRIPE_PRICES: docs/subscriptions.md",
            )
    if sold and not priced:
        yield ok("prices", "no pack has one at Stripe: Checkout gets the amounts of the price list")
    for each in priced:
        try:
            found = get(client, f"/v1/prices/{each.price_id}")
        except ForbiddenError:
            yield wrong("prices", "the key may not read them", "give it the right to read Prices")
            return
        yield of(each, found, mode)


def of(sold: Sold, price: Json | None, mode: str) -> Line:
    """Is this the price of that pack or plan?"""
    about = f"price of {sold}"
    if price is None:
        return wrong(about, f"Stripe has no {sold.price_id} in {mode} mode", _CONFIGURED)
    if price.get("active") is not True:
        return wrong(about, f"{sold.price_id} is archived", f"make another one, and {_CONFIGURED}")
    if (price.get("unit_amount"), price.get("currency")) != (sold.amount, sold.currency):
        return wrong(
            about,
            f"{sold.price_id} is {price.get('unit_amount')} {price.get('currency')},"
            f" the price list says {sold.amount} {sold.currency}",
            _CONFIGURED,
        )
    recurring = price.get("recurring") or {}
    period = (recurring.get("interval"), recurring.get("interval_count"))
    if period != (sold.interval, sold.interval_count):
        return wrong(
            about,
            f"{sold.price_id} is paid {_period(*period)}, the price list says"
            f" {_period(sold.interval, sold.interval_count)}",
            _CONFIGURED,
        )
    return ok(about, f"{sold.price_id}, {sold.amount} {sold.currency}, {_period(*period)}")


def _period(interval: object, count: object) -> str:
    return "once" if interval is None else f"every {count} {interval}"


def check_portal(configurations: Sequence[Json], plans: Sequence[Sold]) -> Iterator[Line]:
    """`configurations`: the default one, if somebody has saved it. Asked only where plans are sold."""
    about = "customer portal"
    if not configurations:
        yield wrong(
            about, "nobody has saved its settings, so POST /portal is refused", f"save them: {_PORTAL}"
        )
        return
    features = configurations[0].get("features") or {}
    for name, text in (
        ("subscription_cancel", "cancel"),
        ("payment_method_update", "change their card"),
        ("invoice_history", "see their invoices"),
    ):
        if not (features.get(name) or {}).get("enabled"):
            yield wrong(about, f"customers cannot {text}", f"switch it on: {_PORTAL}")
    changing = features.get("subscription_update") or {}
    products = changing.get("products")
    offered = {price for each in products or () for price in each.get("prices") or ()}
    missing = [each.name for each in plans if each.price_id and each.price_id not in offered]
    if len(plans) > 1 and not changing.get("enabled"):
        yield wrong(about, "customers cannot change their plan", f"switch it on: {_PORTAL}")
    elif len(plans) > 1 and products is None:
        yield unknown(about, "Stripe does not say which plans it offers", f"look there: {_PORTAL}")
    elif len(plans) > 1 and missing:
        yield wrong(about, f"it does not offer {', '.join(missing)}", f"add their prices: {_PORTAL}")
    else:
        yield ok(about, f"{configurations[0].get('id')}")
