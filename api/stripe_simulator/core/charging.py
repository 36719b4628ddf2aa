"""The payment of a session: one PaymentIntent, made when somebody first tries to pay."""

from stripe_simulator.core.events import emit
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.store import Json, Store

DECLINED: Json = {
    "charge": None,
    "code": "card_declined",
    "decline_code": "generic_decline",
    "doc_url": "https://stripe.com/docs/error-codes/card-declined",
    "message": "Your card was declined.",
    "type": "card_error",
}
DEBIT_FAILED: Json = {
    "code": "payment_intent_payment_attempt_failed",
    "doc_url": "https://stripe.com/docs/error-codes/payment-intent-payment-attempt-failed",
    "message": "The payment failed.",
    "type": "invalid_request_error",
}


def attempt(store: Store, session: Json) -> Json:
    """The session's PaymentIntent with a fresh charge; made on the first attempt. The session's metadata is
    not copied to it, ``payment_intent_data[metadata]`` is."""
    if session["payment_intent"]:
        intent = store.get("payment_intent", session["payment_intent"])
    else:
        intent = _new(store, session)
        store.insert(intent)
        session["payment_intent"] = intent["id"]
    intent.update(customer=session["customer"], latest_charge=new_id("ch"))
    return intent


def succeed(store: Store, intent: Json) -> None:
    """The payment succeeds."""
    intent.update(
        status="succeeded",
        amount_received=intent["amount"],
        last_payment_error=None,
        payment_method=intent["payment_method"] or new_id("pm"),
    )
    store.update(intent)
    emit(store, "payment_intent.succeeded", intent)


def process(store: Store, intent: Json) -> None:
    """The payment is processing: a bank debit is on its way."""
    intent.update(status="processing", last_payment_error=None, payment_method=new_id("pm"))
    store.update(intent)


def fail(store: Store, intent: Json, error: Json) -> None:
    """The attempt failed. The buyer may try another payment method."""
    error = {**error, "charge": intent["latest_charge"]}
    intent.update(status="requires_payment_method", last_payment_error=error, payment_method=None)
    store.update(intent)
    emit(store, "payment_intent.payment_failed", intent)


def cancel(store: Store, id: str) -> None:
    """The session expired before a successful attempt."""
    intent = store.get("payment_intent", id)
    intent.update(status="canceled", canceled_at=store.now(), cancellation_reason="abandoned")
    store.update(intent)


def _new(store: Store, session: Json) -> Json:
    data = store.inner(session["id"])["payment_intent_data"]
    id = new_id("pi")
    return {
        "id": id,
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_received": 0,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": new_id(f"{id}_secret"),
        "confirmation_method": "automatic",
        "created": store.now(),
        "currency": session["currency"],
        "customer": session["customer"],
        "description": data.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": data.get("metadata", {}),
        "next_action": None,
        "payment_method": None,
        "payment_method_types": session["payment_method_types"],
        "receipt_email": data.get("receipt_email"),
        "setup_future_usage": data.get("setup_future_usage"),
        "shipping": None,
        "statement_descriptor": data.get("statement_descriptor"),
        "statement_descriptor_suffix": data.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
    }
