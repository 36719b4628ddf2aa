"""PaymentIntents: attempts to collect one amount, until one succeeds."""

from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.payments import charges, disputes, methods
from stripe_simulator.core.payments.cards import (
    AUTHENTICATION_FAILED,
    AUTHENTICATION_REQUIRED,
    DEBIT_FAILED,
    declined,
)
from stripe_simulator.core.store import Json, Store

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
"""Somebody may still try to pay."""


def new(
    store: Store,
    amount: int,
    currency: str,
    customer: str | None,
    data: Json,
    origin: Origin = PAY_PAGE,
) -> Json:
    """Store a PaymentIntent. ``data`` are further members."""
    id = new_id("pi")
    intent = {
        "id": id,
        "object": "payment_intent",
        "allowed_payment_method_types": None,
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": new_id(f"{id}_secret"),
        "confirmation_method": "automatic",
        "created": store.real_now(),
        "currency": currency,
        "customer": customer,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_types": ["card", "sepa_debit"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        **data,
        "metadata": data.get("metadata", {}),
    }
    store.insert(intent)
    emit(store, "payment_intent.created", intent, origin)
    return intent


def attempt(
    store: Store,
    intent: Json,
    method: Json,
    origin: Origin = PAY_PAGE,
    *,
    off_session: bool = False,
    authenticated: bool = False,
    return_url: str | None = None,
) -> None:
    """Try to collect the amount; the intent's status says what came of it. A bank debit is processing until
    :func:`end_debit`. A card that needs its owner waits for :func:`authenticate`, or fails off session."""
    card = methods.card_of(store, method)
    intent.update(last_payment_error=None, next_action=None, payment_method=method["id"])
    if card is None:
        charge = charges.new(store, intent, method, "pending", origin)
        intent.update(status="processing", latest_charge=charge["id"])
        store.update(intent)
        emit(store, "payment_intent.processing", intent, origin)
    elif card.authenticate and off_session:
        _fail(store, intent, method, AUTHENTICATION_REQUIRED, origin)
    elif card.authenticate and not authenticated:
        url = f"{store.public_url}/authenticate/{intent['id']}"
        intent.update(
            status="requires_action",
            next_action={
                "type": "redirect_to_url",
                "redirect_to_url": {"url": url, "return_url": return_url},
            },
        )
        store.update(intent)
        emit(store, "payment_intent.requires_action", intent, origin)
    elif card.decline:
        _fail(store, intent, method, declined(card.decline), origin)
    else:
        charge = charges.new(store, intent, method, "succeeded", origin, authenticated=authenticated)
        _succeed(store, intent, charge, origin)
        _save_method(store, intent, method, origin)
        if card.afterwards == "warning":
            disputes.warn(store, charge)
        elif card.afterwards:
            disputes.open_dispute(store, charge, inquiry=card.afterwards == "inquiry")


def authenticate(store: Store, intent: Json, *, succeeded: bool) -> bool:
    """The owner of the card says yes or no. Tells whether somebody had asked."""
    if intent["status"] != "requires_action":
        return False
    method = store.get("payment_method", intent["payment_method"])
    if succeeded:
        attempt(store, intent, method, authenticated=True)
        return True
    intent.update(
        status="requires_payment_method",
        next_action=None,
        payment_method=None,
        last_payment_error={**AUTHENTICATION_FAILED, "payment_method": method},
    )
    store.update(intent)
    emit(store, "payment_intent.payment_failed", intent)
    return True


def refuse_action(store: Store, intent: Json, method: Json, origin: Origin) -> None:
    """The caller cannot ask the owner of the card, so the attempt has failed."""
    _fail(store, intent, method, AUTHENTICATION_REQUIRED, origin)


def end_debit(store: Store, intent: Json, *, succeeded: bool) -> bool:
    """The bank debit arrives or fails. Tells whether one was on its way."""
    if intent["status"] != "processing":
        return False
    charge = store.get("charge", intent["latest_charge"])
    method = store.get("payment_method", intent["payment_method"])
    if succeeded:
        charges.succeed(store, charge, PAY_PAGE)
        _succeed(store, intent, charge, PAY_PAGE)
        _save_method(store, intent, method, PAY_PAGE)
    else:
        charges.fail(store, charge, DEBIT_FAILED, PAY_PAGE)
        _report_failure(store, intent, method, charge, DEBIT_FAILED, PAY_PAGE)
    return True


def bounce(store: Store, intent: Json) -> bool:
    """The bank takes a debit back that had arrived. Tells whether it could."""
    charge = charges.of_intent(store, intent)
    if intent["status"] != "succeeded" or charge is None or charge["amount_refunded"] or charge["disputed"]:
        return False
    method = store.get("payment_method", charge["payment_method"])
    if methods.card_of(store, method) is not None:
        return False
    charges.take_back(store, charge, DEBIT_FAILED)
    intent["amount_received"] = 0
    _report_failure(store, intent, method, charge, DEBIT_FAILED, PAY_PAGE)
    return True


def cancel(store: Store, intent: Json, reason: str | None, origin: Origin = PAY_PAGE) -> None:
    """Nobody can pay it any more."""
    intent.update(
        status="canceled", canceled_at=store.real_now(), cancellation_reason=reason, next_action=None
    )
    store.update(intent)
    emit(store, "payment_intent.canceled", intent, origin)


def _save_method(store: Store, intent: Json, method: Json, origin: Origin) -> None:
    """Attach the PaymentMethod to the customer when the intent was to be used again."""
    if intent["customer"] and intent["setup_future_usage"]:
        methods.attach(store, method, intent["customer"], origin)


def _succeed(store: Store, intent: Json, charge: Json, origin: Origin) -> None:
    intent.update(
        status="succeeded",
        amount_received=intent["amount"],
        last_payment_error=None,
        next_action=None,
        latest_charge=charge["id"],
    )
    store.update(intent)
    emit(store, "payment_intent.succeeded", intent, origin)


def _fail(store: Store, intent: Json, method: Json, error: Json, origin: Origin) -> None:
    charge = charges.new(store, intent, method, "failed", origin, error=error)
    _report_failure(store, intent, method, charge, error, origin)


def _report_failure(
    store: Store, intent: Json, method: Json, charge: Json, error: Json, origin: Origin
) -> None:
    intent.update(
        status="requires_payment_method",
        last_payment_error={**error, "charge": charge["id"], "payment_method": method},
        latest_charge=charge["id"],
        next_action=None,
        payment_method=None,
    )
    store.update(intent)
    emit(store, "payment_intent.payment_failed", intent, origin)
