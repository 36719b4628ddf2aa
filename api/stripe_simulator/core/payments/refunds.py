"""Refunds: money that goes back to the buyer.

A card has it at once. A bank debit's refund is pending until it succeeds or comes back. The charge counts a
refund from its beginning, and no longer when it fails or is cancelled."""

from stripe_simulator.core.currencies import money
from stripe_simulator.core.errors import StripeError
from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.payments import balance, methods
from stripe_simulator.core.store import Json, Store

_FAILURE = "lost_or_stolen_card"


def create(store: Store, charge: Json, amount: int | None, params: Json, origin: Origin = PAY_PAGE) -> Json:
    """Refund ``amount`` of a charge, or what is left of it. Raises what Stripe would."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    _check(store, charge, amount, left)
    amount = left if amount is None else amount
    card = methods.card_of(store, store.get("payment_method", charge["payment_method"]))
    status = card.refunds if card else "pending"
    id = new_id("re")
    transaction = balance.record(store, "refund", -amount, charge["currency"], id)
    refund = {
        "id": id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": transaction["id"],
        "charge": charge["id"],
        "created": store.real_now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "description": None,
        "destination_details": {"type": charge["payment_method_details"]["type"]},
        "metadata": params.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }
    if status == "pending":
        refund["pending_reason"] = "processing"
    store.insert(refund)
    emit(store, "refund.created", refund, origin)
    _count(store, charge, amount, "charge.refunded", origin)
    return refund


def update(store: Store, refund: Json, metadata: dict[str, str], origin: Origin) -> Json:
    """Only the metadata can be changed."""
    previous = {"metadata": refund["metadata"]}
    refund["metadata"] = metadata
    store.update(refund)
    emit(store, "refund.updated", refund, origin, previous)
    return refund


def succeed(store: Store, refund: Json) -> bool:
    """The buyer has the money. Tells whether the refund was on its way."""
    if refund["status"] != "pending":
        return False
    _move(store, refund, "succeeded", PAY_PAGE)
    return True


def fail(store: Store, refund: Json) -> bool:
    """The money comes back, also when the refund has succeeded before. Tells whether it did."""
    if refund["status"] not in ("pending", "succeeded"):
        return False
    refund["failure_reason"] = _FAILURE
    _give_back(store, refund, "failed", PAY_PAGE)
    return True


def cancel(store: Store, refund: Json, origin: Origin = PAY_PAGE) -> bool:
    """Stop a refund that is on its way. Tells whether it was."""
    if refund["status"] not in ("pending", "requires_action"):
        return False
    _give_back(store, refund, "canceled", origin)
    return True


def _check(store: Store, charge: Json, amount: int | None, left: int) -> None:
    id = charge["id"]
    if charge["status"] != "succeeded":
        raise StripeError(
            f"Charge {id} has not succeeded, so it cannot be refunded.", code="charge_not_refundable"
        )
    if charge["disputed"] and not _may_refund_disputed(store, charge):
        raise StripeError(
            f"Charge {id} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    if left == 0:
        raise StripeError(f"Charge {id} has already been refunded.", code="charge_already_refunded")
    if amount is not None and amount > left:
        message = (
            f"Refund amount ({money(amount, charge['currency'])}) is greater than unrefunded amount on "
            f"charge ({money(left, charge['currency'])})"
        )
        raise StripeError(message, param="amount")


def _may_refund_disputed(store: Store, charge: Json) -> bool:
    """An inquiry, and a dispute that was won, let the buyer have a refund."""
    return all(
        dispute["is_charge_refundable"] or dispute["status"] == "won"
        for dispute in store.where("dispute", "charge", charge["id"])
    )


def _give_back(store: Store, refund: Json, status: str, origin: Origin) -> None:
    back = balance.record(store, "refund_failure", refund["amount"], refund["currency"], refund["id"])
    refund["failure_balance_transaction"] = back["id"]
    _move(store, refund, status, origin)
    charge = store.get("charge", refund["charge"])
    _count(store, charge, -refund["amount"], "charge.updated", origin)


def _move(store: Store, refund: Json, status: str, origin: Origin) -> None:
    previous = {"status": refund["status"]}
    refund["status"] = status
    refund.pop("pending_reason", None)
    store.update(refund)
    emit(store, "refund.updated", refund, origin, previous)
    emit(store, "charge.refund.updated", refund, origin, previous)
    if status == "failed":
        emit(store, "refund.failed", refund, origin)


def _count(store: Store, charge: Json, amount: int, type: str, origin: Origin) -> None:
    """Change what the charge says is refunded, and report it as ``type``."""
    previous = {"amount_refunded": charge["amount_refunded"]}
    refunded = charge["amount_refunded"] + amount
    all_of_it = refunded == charge["amount_captured"]
    if all_of_it != charge["refunded"]:
        previous["refunded"] = charge["refunded"]
    charge.update(amount_refunded=refunded, refunded=all_of_it)
    store.update(charge)
    emit(store, type, charge, origin, previous)
