"""Test cards by number, and what comes of a charge of each."""

from dataclasses import dataclass

from stripe_simulator.core.store import Json


@dataclass(frozen=True)
class Card:
    """``decline`` is the reason why every charge is declined. A card that ``attaches`` can be saved all the
    same. ``authenticate`` asks its owner, who is not there off session. ``refunds`` says how a refund to it
    goes: at once, or later. ``afterwards`` says what its bank does soon after it has paid."""

    brand: str
    note: str
    decline: str | None = None
    attaches: bool = True
    authenticate: bool = False
    refunds: str = "succeeded"
    afterwards: str | None = None


CARDS = {
    "4242424242424242": Card("visa", "is paid"),
    "4000002500003155": Card("visa", "needs authentication", authenticate=True),
    "4000000000000002": Card("visa", "is declined", decline="generic_decline", attaches=False),
    "4000000000000341": Card("visa", "can be saved, is declined when charged", decline="generic_decline"),
    "4000000000009995": Card("visa", "has no money", decline="insufficient_funds", attaches=False),
    "4000000000007726": Card("visa", "is paid; a refund is pending first", refunds="pending"),
    "4000000000000259": Card("visa", "is paid, then disputed", afterwards="dispute"),
    "4000000000001976": Card("visa", "is paid, then its bank asks", afterwards="inquiry"),
    "4000000000005423": Card("visa", "is paid, then its bank warns of fraud", afterwards="warning"),
    "5555555555554444": Card("mastercard", "is paid"),
}
TOKENS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_authenticationRequired": "4000002500003155",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_createDisputeInquiry": "4000000000001976",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
}
"""Stripe's names of test PaymentMethods."""

_MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
}


def declined(reason: str) -> Json:
    """The error of a declined charge."""
    return {
        "code": "card_declined",
        "decline_code": reason,
        "doc_url": "https://stripe.com/docs/error-codes/card-declined",
        "message": _MESSAGES[reason],
        "type": "card_error",
    }


AUTHENTICATION_REQUIRED: Json = {
    "code": "authentication_required",
    "decline_code": "authentication_required",
    "doc_url": "https://stripe.com/docs/error-codes/authentication-required",
    "message": "Your card was declined. This transaction requires authentication.",
    "type": "card_error",
}
AUTHENTICATION_FAILED: Json = {
    "code": "payment_intent_authentication_failure",
    "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
    "message": (
        "We are unable to authenticate your payment method. Please choose a different payment method and try "
        "again."
    ),
    "type": "invalid_request_error",
}
DEBIT_FAILED: Json = {
    "code": "payment_intent_payment_attempt_failed",
    "doc_url": "https://stripe.com/docs/error-codes/payment-intent-payment-attempt-failed",
    "message": "The payment failed.",
    "type": "invalid_request_error",
}
