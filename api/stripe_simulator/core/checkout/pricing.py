"""A session's amounts: its lines with its discount and, once the buyer's place is known, tax."""

from stripe_simulator.core import customer
from stripe_simulator.core.checkout import discounts, totals
from stripe_simulator.core.errors import StripeError
from stripe_simulator.core.store import Json, Store

_ADDRESS = {
    "city": "Berlin",
    "country": totals.TAX_COUNTRY,
    "line1": "Simulated 1",
    "line2": None,
    "postal_code": "10115",
    "state": None,
}


def coupon(store: Store, inner: Json) -> Json | None:
    """The coupon that the session's discount gives."""
    given = inner["discount"]
    if not given:
        return None
    if "coupon" in given:
        return store.get("coupon", given["coupon"])
    return store.get("coupon", store.get("promotion_code", given["promotion_code"])["promotion"]["coupon"])


def price(store: Store, session: Json, inner: Json) -> None:
    """Set the amounts of a session and of its lines."""
    taxed = session["automatic_tax"]["status"] == "complete"
    totals.price(inner["line_items"], coupon(store, inner), taxed=taxed)
    session.update(totals.sums(inner["line_items"]))
    given = inner["discount"]
    session["discounts"] = [{"coupon": None, "promotion_code": None, **given}] if given else []


def use_code(store: Store, session: Json, code: str) -> None:
    """The buyer types a promotion code. Raises when it does not exist or does not hold."""
    if session["status"] != "open" or not session["allow_promotion_codes"]:
        raise StripeError("This session takes no promotion code.")
    inner = store.inner(session["id"])
    given = {"promotion_code": discounts.by_code(store, code)["id"]}
    discounts.find(
        store, given, session["currency"], session["amount_subtotal"], session["customer"], "promotion_code"
    )
    inner["discount"] = given
    price(store, session, inner)
    _store(store, session, inner)


def locate(store: Store, session: Json) -> None:
    """The buyer's address becomes known, and with it the tax. Checkout asks only when it needs to know."""
    wanted = session["automatic_tax"]["enabled"] or session["billing_address_collection"] == "required"
    if not wanted or session["automatic_tax"]["status"] == "complete":
        return
    details = session["customer_details"] or customer.details(None)
    session["customer_details"] = {**details, "address": details["address"] or _ADDRESS}
    inner = store.inner(session["id"])
    if session["automatic_tax"]["enabled"]:
        session["automatic_tax"]["status"] = "complete"
        price(store, session, inner)
    _store(store, session, inner)


def _store(store: Store, session: Json, inner: Json) -> None:
    store.update(session, due=session["expires_at"])
    store.set_inner(session["id"], inner)
