"""Coupons and promotion codes, and who may use them now."""

from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.store import Json, Store


def find(store: Store, given: Json, currency: str, total: int, customer: str | None, param: str) -> Json:
    """The coupon of ``{"coupon": id}`` or ``{"promotion_code": id}``. Raises when it does not hold now."""
    if ("coupon" in given) == ("promotion_code" in given):
        raise StripeError(f"You must specify one of coupon and promotion_code in {param}.", param=param)
    if "coupon" in given:
        return _usable(store, given["coupon"], currency, f"{param}[coupon]")
    promotion = store.find("promotion_code", given["promotion_code"])
    if promotion is None:
        raise missing_object("promotion code", given["promotion_code"], f"{param}[promotion_code]")
    _check_promotion(store, promotion, total, customer, f"{param}[promotion_code]")
    return _usable(store, promotion["promotion"]["coupon"], currency, f"{param}[promotion_code]")


def by_code(store: Store, code: str) -> Json:
    """The active promotion code that a buyer types. Raises when nothing has it."""
    for promotion in store.where("promotion_code", "code", code):
        if promotion["active"]:
            return promotion
    raise StripeError("This code is invalid.", param="promotion_code")


def redeem(store: Store, given: Json, customer: str | None) -> None:
    """Count a use. A coupon or code with nothing left is no longer valid."""
    coupon_id = given.get("coupon")
    if id := given.get("promotion_code"):
        promotion = store.get("promotion_code", id)
        promotion["times_redeemed"] += 1
        if promotion["times_redeemed"] == promotion["max_redemptions"]:
            promotion["active"] = False
        store.update(promotion)
        inner = store.inner(id)
        store.set_inner(id, {"customers": [*inner.get("customers", []), customer]})
        coupon_id = promotion["promotion"]["coupon"]
    coupon = store.get("coupon", str(coupon_id))
    coupon["times_redeemed"] += 1
    if coupon["times_redeemed"] == coupon["max_redemptions"]:
        coupon["valid"] = False
    store.update(coupon)


def _usable(store: Store, id: str, currency: str, param: str) -> Json:
    coupon = store.find("coupon", id)
    if coupon is None:
        raise missing_object("coupon", id, param)
    late = coupon["redeem_by"] is not None and coupon["redeem_by"] < store.now()
    if not coupon["valid"] or late:
        raise StripeError(f"Coupon {id} is not valid any more.", code="coupon_expired", param=param)
    if coupon["amount_off"] is not None and coupon["currency"] != currency:
        raise StripeError(f"Coupon {id} is in {coupon['currency']}, not in {currency}.", param=param)
    return coupon


def _check_promotion(store: Store, promotion: Json, total: int, customer: str | None, param: str) -> None:
    late = promotion["expires_at"] is not None and promotion["expires_at"] < store.now()
    if not promotion["active"] or late:
        raise StripeError("This promotion code is not active.", param=param)
    if promotion["customer"] and promotion["customer"] != customer:
        raise StripeError("This promotion code is for another customer.", param=param)
    limits = promotion["restrictions"]
    if limits["minimum_amount"] is not None and total < limits["minimum_amount"]:
        raise StripeError("This promotion code needs a larger order.", param=param)
    before = store.inner(promotion["id"]).get("customers", [])
    if limits["first_time_transaction"] and customer in before:
        raise StripeError("This promotion code is for a first order.", param=param)
