"""Disputes: the buyer's bank takes the money back, and may return it.

An inquiry (``warning_*``) only asks: no money moves until it becomes a dispute. Each function says whether
the dispute was in a state for it, and does nothing otherwise."""

from stripe_simulator.core.errors import StripeError
from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.payments import balance
from stripe_simulator.core.store import Json, Store

ANSWERABLE = ("needs_response", "warning_needs_response", "under_review", "warning_under_review")
_REASONS = (
    *("bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated"),
    *("debit_not_authorized", "duplicate", "fraudulent", "general", "incorrect_account_details"),
    *("insufficient_funds", "product_not_received", "product_unacceptable", "subscription_canceled"),
    "unrecognized",
)
_DUE_AFTER = 7 * 86400


def open_dispute(
    store: Store,
    charge: Json,
    amount: int | None = None,
    reason: str = "fraudulent",
    *,
    inquiry: bool = False,
    withdraw: bool = True,
) -> Json:
    """The buyer's bank disputes a charge, or ``amount`` of it. Without ``withdraw`` the money goes later, by
    :func:`withdraw_funds`. Raises when there is nothing to dispute."""
    if charge["status"] != "succeeded" or charge["disputed"]:
        raise StripeError(f"Charge {charge['id']} cannot be disputed (again).", code="charge_not_disputable")
    if reason not in _REASONS:
        raise StripeError(f"The reason is one of {', '.join(_REASONS)}.", param="reason")
    amount = charge["amount"] - charge["amount_refunded"] if amount is None else amount
    if not 0 < amount <= charge["amount"]:
        raise StripeError(f"A dispute is about 1 to {charge['amount']} minor units.", param="amount")
    dispute = _new(store, charge, amount, reason, inquiry=inquiry)
    store.insert(dispute)
    charge["disputed"] = True
    store.update(charge)
    emit(store, "charge.dispute.created", dispute)
    if withdraw and not inquiry:
        withdraw_funds(store, dispute)
    return dispute


def withdraw_funds(store: Store, dispute: Json) -> bool:
    """The money and a fee leave the balance."""
    if dispute["balance_transactions"] or dispute["status"] not in ("needs_response", "under_review", "lost"):
        return False
    _book(store, dispute, -dispute["amount"], "dispute", balance.DISPUTE_FEE)
    emit(store, "charge.dispute.funds_withdrawn", dispute)
    return True


def submit_evidence(
    store: Store,
    dispute: Json,
    evidence: Json,
    metadata: Json,
    origin: Origin = PAY_PAGE,
    *,
    submit: bool = True,
) -> bool:
    """Say why the charge was right; with ``submit`` the bank looks at it."""
    if dispute["status"] not in ANSWERABLE:
        return False
    previous: Json = {"evidence": dispute["evidence"]}
    dispute["evidence"] = {**dispute["evidence"], **evidence}
    dispute["metadata"] = metadata
    details = dispute["evidence_details"]
    details["has_evidence"] = details["has_evidence"] or bool(evidence) or submit
    if submit:
        previous["status"] = dispute["status"]
        details["submission_count"] += 1
        details["submission_method"] = "manual"
        dispute["status"] = dispute["status"].replace("needs_response", "under_review")
    store.update(dispute)
    emit(store, "charge.dispute.updated", dispute, origin, previous)
    return True


def escalate(store: Store, dispute: Json) -> bool:
    """The inquiry becomes a dispute: now the money goes."""
    if not _is_open_inquiry(dispute):
        return False
    previous = {"status": dispute["status"], "is_charge_refundable": True}
    dispute.update(status="needs_response", is_charge_refundable=False)
    store.update(dispute)
    emit(store, "charge.dispute.updated", dispute, previous=previous)
    withdraw_funds(store, dispute)
    return True


def win(store: Store, dispute: Json) -> bool:
    """The bank agrees with us, and returns what it took."""
    if dispute["status"] not in ("needs_response", "under_review"):
        return False
    dispute["status"] = "won"
    taken = bool(dispute["balance_transactions"])
    if taken:
        _book(store, dispute, dispute["amount"], "dispute_reversal", 0)
    store.update(dispute)
    emit(store, "charge.dispute.closed", dispute)
    if taken:
        emit(store, "charge.dispute.funds_reinstated", dispute)
    return True


def lose(store: Store, dispute: Json, origin: Origin = PAY_PAGE) -> bool:
    """The buyer keeps the money: the bank decides so, or we accept the dispute. An inquiry just ends."""
    if _is_open_inquiry(dispute):
        return close_inquiry(store, dispute, origin)
    if dispute["status"] not in ("needs_response", "under_review"):
        return False
    dispute["status"] = "lost"
    store.update(dispute)
    emit(store, "charge.dispute.closed", dispute, origin)
    return True


def close_inquiry(store: Store, dispute: Json, origin: Origin = PAY_PAGE) -> bool:
    """Nothing came of the inquiry."""
    if not _is_open_inquiry(dispute):
        return False
    dispute["status"] = "warning_closed"
    store.update(dispute)
    emit(store, "charge.dispute.closed", dispute, origin)
    return True


def warn(store: Store, charge: Json, fraud_type: str = "made_with_stolen_card") -> Json:
    """The card's network says that a charge may be fraud. No money moves."""
    if charge["status"] != "succeeded":
        raise StripeError(f"Charge {charge['id']} has not succeeded.", code="charge_not_disputable")
    warning = {
        "id": new_id("issfr"),
        "object": "radar.early_fraud_warning",
        "actionable": not charge["refunded"] and not charge["disputed"],
        "charge": charge["id"],
        "created": store.real_now(),
        "fraud_type": fraud_type,
        "livemode": False,
        "payment_intent": charge["payment_intent"],
    }
    store.insert(warning)
    emit(store, "radar.early_fraud_warning.created", warning)
    return warning


def _new(store: Store, charge: Json, amount: int, reason: str, *, inquiry: bool) -> Json:
    now = store.real_now()
    return {
        "id": new_id("dp"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + _DUE_AFTER,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "network_reason_code": "10.4" if reason == "fraudulent" else "13.1",
        "payment_intent": charge["payment_intent"],
        "payment_method_details": _method_details(charge["payment_method_details"], inquiry=inquiry),
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }


def _method_details(details: Json, *, inquiry: bool) -> Json | None:
    if details["type"] != "card":
        return None
    return {
        "type": "card",
        "card": {
            "brand": details["card"]["brand"],
            "case_type": "inquiry" if inquiry else "chargeback",
            "network": details["card"]["network"],
            "network_reason_code": None,
        },
    }


def _book(store: Store, dispute: Json, amount: int, category: str, fee: int) -> None:
    transaction = balance.record(
        store, "adjustment", amount, dispute["currency"], dispute["id"], category=category, fee=fee
    )
    dispute["balance_transactions"].append(transaction)
    store.update(dispute)


def _is_open_inquiry(dispute: Json) -> bool:
    return dispute["status"] in ("warning_needs_response", "warning_under_review")
