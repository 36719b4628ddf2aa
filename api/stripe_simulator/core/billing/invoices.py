"""Invoices: drafted, finalized, collected. A credit of the customer pays first; a negative total adds to it.

Stripe leaves a renewal's invoice a draft for an hour. The simulator finalizes it at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from stripe_simulator.core.billing import lines
from stripe_simulator.core.billing.lines import Line
from stripe_simulator.core.checkout import totals
from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.payments import intents
from stripe_simulator.core.store import Json, Store

_KIND = "invoice"


@dataclass(frozen=True)
class Terms:
    """How an invoice comes about. A subscription's has its id and metadata as ``parent`` details."""

    reason: str
    period: tuple[int, int]
    subscription: Json | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    coupon: Json | None = None
    taxed: bool = False
    method: str | None = None


@dataclass(frozen=True)
class Schedule:
    """An attempt of Stripe's own: when the next one comes if this one fails. None is never."""

    next_attempt: int | None


def draft(
    store: Store, customer: Json, entries: Sequence[Line], terms: Terms, origin: Origin = PAY_PAGE
) -> Json:
    """Store an invoice of at least one line. Its amounts follow from the lines, the coupon and the tax."""
    id = new_id("in")
    discount_id = new_id("di") if terms.coupon else None
    taken = totals.discount([max(0, line.amount) for line in entries], terms.coupon)
    data = [
        lines.body(line, id, off, discount_id, taxed=terms.taxed)
        for line, off in zip(entries, taken, strict=True)
    ]
    invoice = {
        **_amounts(data, sum(taken), discount_id),
        **_constants(),
        "id": id,
        "object": _KIND,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": terms.taxed,
            "liability": {"type": "self"} if terms.taxed else None,
            "provider": "stripe" if terms.taxed else None,
            "status": "complete" if terms.taxed else None,
        },
        "billing_reason": terms.reason,
        "created": store.now(),
        "currency": entries[0].price["currency"],
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "default_payment_method": terms.method,
        "discounts": [discount_id] if discount_id else [],
        "lines": {
            "object": "list",
            "data": data,
            "has_more": False,
            "total_count": len(data),
            "url": f"/v1/invoices/{id}/lines",
        },
        "metadata": terms.metadata,
        "parent": _parent(terms.subscription),
        "payments": {"object": "list", "data": [], "has_more": False, "url": "/v1/invoice_payments"},
        "period_end": terms.period[1],
        "period_start": terms.period[0],
        "test_clock": customer["test_clock"],
    }
    store.insert(invoice, {"subscription": terms.subscription["id"] if terms.subscription else None})
    emit(store, "invoice.created", invoice, origin)
    return invoice


def finalize(store: Store, invoice: Json, origin: Origin = PAY_PAGE) -> None:
    """From now on it can be paid. One that asks for nothing is paid at once."""
    customer = store.get("customer", invoice["customer"])
    total = invoice["total"]
    credit = max(0, -customer["balance"]) if invoice["parent"] else 0
    used = min(credit, max(0, total))
    due = max(0, total) - used
    before = customer["balance"]
    number = customer["next_invoice_sequence"]
    customer["next_invoice_sequence"] += 1
    customer["balance"] += used + min(0, total)
    store.update(customer)
    invoice.update(
        amount_due=due,
        amount_remaining=due,
        effective_at=store.now(),
        ending_balance=customer["balance"],
        hosted_invoice_url=f"{store.public_url}/invoices/{invoice['id']}",
        invoice_pdf=f"{store.public_url}/invoices/{invoice['id']}",
        number=f"{customer['invoice_prefix']}-{number:04}",
        starting_balance=before,
        status="open",
    )
    invoice["status_transitions"]["finalized_at"] = store.now()
    store.update(invoice)
    emit(store, "invoice.finalized", invoice, origin)
    if due == 0:
        mark_paid(store, invoice, None, origin)


def collect(
    store: Store,
    invoice: Json,
    method: Json | None,
    origin: Origin = PAY_PAGE,
    *,
    off_session: bool = True,
    schedule: Schedule | None = None,
) -> bool:
    """Try to collect an open invoice, by its PaymentIntent. Says whether it is paid now. ``schedule`` is
    for an attempt that nobody asked for."""
    if invoice["status"] != "open":
        return bool(invoice["status"] == "paid")
    intent = prepare(store, invoice)
    if intent["status"] == "processing":
        return False
    if method is not None:
        intents.attempt(
            store, intent, method, origin, off_session=off_session, return_url=invoice["hosted_invoice_url"]
        )
    if intent["status"] == "succeeded":
        mark_paid(store, invoice, intent, origin)
        return True
    if intent["status"] == "requires_payment_method":
        note_failure(store, invoice, intent, schedule, origin)
    elif schedule is not None:
        invoice["next_payment_attempt"] = None  # a debit is on its way, or the owner of the card is asked
        store.update(invoice)
    return False


def of_intent(store: Store, intent: Json) -> Json | None:
    """The open invoice that a PaymentIntent is to pay."""
    id = store.inner(intent["id"]).get("invoice")
    invoice = store.find(_KIND, id) if id else None
    return invoice if invoice and invoice["status"] == "open" else None


def is_processing(store: Store, invoice: Json) -> bool:
    """A bank debit for it is on its way."""
    ids = [payment["payment"]["payment_intent"] for payment in invoice["payments"]["data"]]
    return any(store.get("payment_intent", id)["status"] == "processing" for id in ids)


def mark_paid(store: Store, invoice: Json, intent: Json | None, origin: Origin = PAY_PAGE) -> None:
    """The invoice is paid, by a PaymentIntent or because nothing was due."""
    amount = invoice["amount_due"]
    invoice.update(
        amount_paid=amount,
        amount_remaining=0,
        attempted=True,
        auto_advance=False,
        next_payment_attempt=None,
        status="paid",
    )
    if intent is not None:
        invoice["attempt_count"] += 1
        payment = _payment(store, invoice, intent)
        payment.update(amount_paid=amount, status="paid")
        payment["status_transitions"]["paid_at"] = store.now()
        store.update(payment)
    invoice["status_transitions"]["paid_at"] = store.now()
    store.update(invoice)
    emit(store, "invoice.paid", invoice, origin)
    emit(store, "invoice.payment_succeeded", invoice, origin)
    if intent is not None:
        emit(store, "invoice_payment.paid", payment, origin)


def give_up(store: Store, invoice: Json, status: str, origin: Origin = PAY_PAGE) -> None:
    """Nobody collects it any more: it is ``void`` or ``uncollectible``."""
    word = {"void": "voided", "uncollectible": "marked_uncollectible"}[status]
    invoice.update(status=status, auto_advance=False, next_payment_attempt=None)
    invoice["status_transitions"][f"{word}_at"] = store.now()
    store.update(invoice)
    emit(store, f"invoice.{word}", invoice, origin)


def of_subscription(store: Store, subscription_id: str, status: str | None = None) -> list[Json]:
    """The subscription's invoices, of a status when it is named, oldest first."""
    ids = store.db.execute(
        "select id from objects where kind = 'invoice' and json_extract(inner, '$.subscription') = ?"
        " and (? is null or json_extract(body, '$.status') = ?) order by seq",
        (subscription_id, status, status),
    ).fetchall()
    return [store.get(_KIND, id) for (id,) in ids]


def note_failure(
    store: Store, invoice: Json, intent: Json, schedule: Schedule | None, origin: Origin
) -> None:
    """An attempt has failed. Attempts that somebody asked for do not count, as at Stripe."""
    invoice["attempted"] = True
    if schedule is not None:
        invoice["next_payment_attempt"] = schedule.next_attempt
        invoice["attempt_count"] += 1
    store.update(invoice)
    emit(store, "invoice.payment_failed", invoice, origin)
    error = intent["last_payment_error"] or {}
    if error.get("code") == "authentication_required":
        emit(store, "invoice.payment_action_required", invoice, origin)


def prepare(store: Store, invoice: Json) -> Json:
    """The PaymentIntent that is to pay an invoice, made when it is missing."""
    for payment in invoice["payments"]["data"]:
        return store.get("payment_intent", payment["payment"]["payment_intent"])
    word = "creation" if invoice["billing_reason"] == "subscription_create" else "update"
    intent = intents.new(
        store,
        invoice["amount_due"],
        invoice["currency"],
        invoice["customer"],
        {
            "description": f"Subscription {word}" if invoice["parent"] else f"Invoice {invoice['number']}",
            "setup_future_usage": "off_session",
        },
    )
    store.set_inner(intent["id"], {"invoice": invoice["id"]})
    _payment(store, invoice, intent)
    store.update(invoice)
    return intent


def _payment(store: Store, invoice: Json, intent: Json) -> Json:
    """The record that an intent pays the invoice; made when it is missing."""
    if invoice["payments"]["data"]:
        payment: Json = invoice["payments"]["data"][0]
        return payment
    payment = {
        "id": new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_due"],
        "created": store.now(),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": intent["id"]},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
    store.insert(payment)
    invoice["payments"]["data"].append(payment)
    return payment


def _parent(subscription: Json | None) -> Json | None:
    if subscription is None:
        return None
    return {
        "type": "subscription_details",
        "quote_details": None,
        "subscription_details": {
            "metadata": subscription["metadata"],
            "subscription": subscription["id"],
        },
    }


def _amounts(data: list[Json], off: int, discount_id: str | None) -> Json:
    subtotal = sum(line["amount"] for line in data)
    taxes = [entry for line in data for entry in line["taxes"]]
    added = sum(entry["amount"] for entry in taxes if entry["tax_behavior"] == "exclusive")
    due = sum(entry["amount"] for entry in taxes)
    total = subtotal - off + added
    return {
        "amount_due": max(0, total),
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": max(0, total),
        "amount_shipping": 0,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal + added - due,
        "total": total,
        "total_discount_amounts": [{"amount": off, "discount": discount_id}] if discount_id else [],
        "total_excluding_tax": total - due,
        "total_pretax_credit_amounts": [],
        "total_taxes": taxes,
    }


def _constants() -> Json:
    nothing = (
        *("account_tax_ids", "application", "automatically_finalizes_at", "custom_fields"),
        *("customer_account", "customer_shipping", "default_source", "description", "due_date"),
        *("effective_at", "ending_balance", "footer", "from_invoice", "hosted_invoice_url", "invoice_pdf"),
        *("last_finalization_error", "latest_revision", "next_payment_attempt", "number"),
        *("on_behalf_of", "receipt_number", "rendering", "shipping_cost", "shipping_details"),
        *("statement_descriptor", "threshold_reason", "webhooks_delivered_at"),
    )
    return dict.fromkeys(nothing) | {
        "account_country": totals.TAX_COUNTRY,
        "account_name": "Simulator",
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "collection_method": "charge_automatically",
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "issuer": {"type": "self"},
        "livemode": False,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
    }
