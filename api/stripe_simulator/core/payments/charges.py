"""Charges: one for each attempt of a PaymentIntent that reached the bank."""

from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.payments import balance, methods
from stripe_simulator.core.store import Json, Store

_OUTCOMES = {
    "succeeded": ("authorized", "approved_by_network", "Payment complete."),
    "pending": ("authorized", "approved_by_network", "Payment complete."),
    "failed": ("issuer_declined", "declined_by_network", "The bank did not return any further details."),
}


def new(
    store: Store,
    intent: Json,
    method: Json,
    status: str,
    origin: Origin,
    *,
    error: Json | None = None,
    authenticated: bool = False,
) -> Json:
    """Store a charge of the whole intent, and report it. ``error`` says why it failed."""
    id = new_id("ch")
    charge = {
        "id": id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": intent["statement_descriptor"] or "SIMULATOR",
        "captured": True,
        "created": store.real_now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": methods.charge_details(store, method, authenticated=authenticated),
        "presentment_details": None,
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": f"{store.public_url}/receipts/{id}",
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending",
        "transfer_data": None,
        "transfer_group": None,
    }
    store.insert(charge)
    if status == "pending":
        _outcome(charge, None)
        store.update(charge)
        emit(store, "charge.pending", charge, origin)
    elif status == "succeeded":
        succeed(store, charge, origin)
    else:
        fail(store, charge, error or {}, origin)
    return charge


def succeed(store: Store, charge: Json, origin: Origin) -> None:
    """The money arrives."""
    amount, currency = charge["amount"], charge["currency"]
    transaction = balance.record(
        store, "charge", amount, currency, charge["id"], fee=balance.charge_fee(amount)
    )
    charge.update(
        status="succeeded", paid=True, amount_captured=amount, balance_transaction=transaction["id"]
    )
    _outcome(charge, None)
    store.update(charge)
    emit(store, "charge.succeeded", charge, origin)


def fail(store: Store, charge: Json, error: Json, origin: Origin) -> None:
    """The bank refuses."""
    charge.update(
        status="failed",
        failure_code=error.get("code"),
        failure_message=error.get("message"),
        receipt_url=None,
    )
    _outcome(charge, error.get("decline_code"))
    store.update(charge)
    emit(store, "charge.failed", charge, origin)


def take_back(store: Store, charge: Json, error: Json) -> None:
    """The bank takes the money back after it had arrived."""
    transaction = balance.record(
        store, "payment_failure_refund", -charge["amount"], charge["currency"], charge["id"]
    )
    charge.update(
        paid=False, amount_captured=0, failure_balance_transaction=transaction["id"], captured=False
    )
    fail(store, charge, error, PAY_PAGE)


def of_intent(store: Store, intent: Json) -> Json | None:
    """The latest charge of a PaymentIntent."""
    return store.find("charge", intent["latest_charge"]) if intent["latest_charge"] else None


def _outcome(charge: Json, reason: str | None) -> None:
    type, network_status, message = _OUTCOMES[charge["status"]]
    charge["outcome"] = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network_status,
        "reason": reason,
        "risk_level": "normal",
        "seller_message": message,
        "type": type,
    }
