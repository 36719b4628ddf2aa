"""PaymentMethods: a test card or a bank debit, saved for a customer or used once."""

import hashlib

from stripe_simulator.core.errors import PaymentRefused, StripeError, missing_object
from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.payments.cards import CARDS, TOKENS, Card, declined
from stripe_simulator.core.store import Json, Store

_KIND = "payment_method"
_DEBIT = {
    "bank_code": "37040044",
    "branch_code": "",
    "country": "DE",
    "fingerprint": "simulateddebit00",
    "last4": "3000",
}


def new_card(store: Store, number: str, metadata: dict[str, str] | None = None) -> Json:
    """A PaymentMethod of a test card. Raises ``incorrect_number`` for a number that is not a test card's."""
    number = number.replace(" ", "")
    if number not in CARDS:
        raise StripeError(
            f"The simulator knows the test cards {', '.join(CARDS)}.",
            status=402,
            type="card_error",
            code="incorrect_number",
            param="number",
        )
    method = _new(store, "card", metadata or {})
    method["card"] = {
        **card_details(number),
        "display_brand": CARDS[number].brand,
        "generated_from": None,
        "networks": {"available": [CARDS[number].brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    store.insert(method, {"number": number})
    return method


def new_debit(store: Store) -> Json:
    """A PaymentMethod of a bank account."""
    method = _new(store, "sepa_debit", {})
    method["sepa_debit"] = {**_DEBIT, "generated_from": {"charge": None, "setup_attempt": None}}
    store.insert(method)
    return method


def resolve(store: Store, id: str, param: str = "payment_method") -> Json:
    """The PaymentMethod; a new one for each use of one of Stripe's test names, such as ``pm_card_visa``."""
    if id in TOKENS:
        return new_card(store, TOKENS[id])
    method = store.find(_KIND, id)
    if method is None:
        raise missing_object("PaymentMethod", id, param)
    return method


def card_of(store: Store, method: Json) -> Card | None:
    """The test card behind a PaymentMethod; None for a bank debit."""
    return CARDS[store.inner(method["id"])["number"]] if method["type"] == "card" else None


def card_details(number: str) -> Json:
    """What Stripe tells of a card: never its number."""
    return {
        "brand": CARDS[number].brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "DE",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": hashlib.sha256(number.encode()).hexdigest()[:16],
        "funding": "credit",
        "last4": number[-4:],
    }


def charge_details(store: Store, method: Json, *, authenticated: bool) -> Json:
    """A charge's ``payment_method_details``."""
    if method["type"] != "card":
        return {"type": "sepa_debit", "sepa_debit": {**_DEBIT, "mandate": None}}
    secure = {"result": "authenticated", "version": "2.2.0"} if authenticated else None
    details = card_details(store.inner(method["id"])["number"])
    return {
        "type": "card",
        "card": {**details, "network": details["brand"], "three_d_secure": secure, "wallet": None},
    }


def attach(store: Store, method: Json, customer: str, origin: Origin = PAY_PAGE) -> None:
    """Save the PaymentMethod for a customer. Raises when the bank refuses that, or it is another's."""
    if method["customer"] == customer:
        return
    if method["customer"]:
        raise StripeError("The payment method you provided has already been attached to a customer.")
    card = card_of(store, method)
    if card and card.decline and not card.attaches:
        raise PaymentRefused(declined(card.decline))
    method.update(customer=customer, allow_redisplay="limited")
    store.update(method)
    emit(store, "payment_method.attached", method, origin)


def detach(store: Store, method: Json, origin: Origin = PAY_PAGE) -> None:
    """The customer has it no longer, and it cannot be used again."""
    customer = store.find("customer", method["customer"])
    settings = (customer or {}).get("invoice_settings", {})
    if customer and settings.get("default_payment_method") == method["id"]:
        settings["default_payment_method"] = None
        store.update(customer)
    previous = {"customer": method["customer"]}
    method["customer"] = None
    store.update(method)
    emit(store, "payment_method.detached", method, origin, previous)


def label(method: Json) -> str:
    """For people: ``visa 4242``."""
    return f"{method['card']['brand']} {method['card']['last4']}" if "card" in method else "bank debit 3000"


def _new(store: Store, type: str, metadata: dict[str, str]) -> Json:
    return {
        "id": new_id("pm"),
        "object": _KIND,
        "allow_redisplay": "unspecified",
        "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        "created": store.real_now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": metadata,
        "type": type,
    }
