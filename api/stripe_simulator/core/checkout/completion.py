"""A session completes: what it was for comes about, and then its event."""

from stripe_simulator.core import customer
from stripe_simulator.core.billing import clocks, cycle, invoices, subscriptions
from stripe_simulator.core.billing.invoices import Terms
from stripe_simulator.core.billing.lines import Line
from stripe_simulator.core.billing.subscriptions import Item, Plan
from stripe_simulator.core.checkout import discounts, pricing
from stripe_simulator.core.events import emit
from stripe_simulator.core.store import Json, Store

_GUEST_EMAIL = "guest@example.com"


def identify(store: Store, session: Json) -> None:
    """Who buys. A session makes a customer when it was told to, or cannot do without."""
    if session["customer"] is not None:
        return
    email = session["customer_email"] or _GUEST_EMAIL
    session["customer_details"] = customer.details(email)
    saved = store.inner(session["id"])["payment_intent_data"].get("setup_future_usage")
    needed = saved or session["invoice_creation"]["enabled"] or session["mode"] == "subscription"
    if needed or session["customer_creation"] == "always":
        session["customer"] = customer.create(store, {"email": email})["id"]


def complete(
    store: Store,
    session: Json,
    payment_status: str,
    intent: Json | None = None,
    method: str | None = None,
) -> None:
    """The session is complete. ``intent`` has paid it, or is processing. ``method`` is the PaymentMethod."""
    inner = store.inner(session["id"])
    session.update(status="complete", payment_status=payment_status, url=None)
    if inner["discount"]:
        discounts.redeem(store, inner["discount"], session["customer"])
    _keep_address(store, session, inner)
    if session["mode"] == "subscription":
        _subscribe(store, session, inner, intent, method)
    elif payment_status != "unpaid":
        make_invoice(store, session, intent)
    store.update(session)
    emit(store, "checkout.session.completed", session)


def make_invoice(store: Store, session: Json, intent: Json | None) -> None:
    """The paid invoice of a payment, when the session asked for one."""
    if not session["invoice_creation"]["enabled"]:
        return
    inner = store.inner(session["id"])
    now = store.now()
    entries = [
        Line(line["price"], line["quantity"], line["amount_subtotal"], now, now, line["description"])
        for line in inner["line_items"]
    ]
    terms = Terms(
        "manual",
        (now, now),
        metadata=session["invoice_creation"]["invoice_data"]["metadata"],
        coupon=pricing.coupon(store, inner),
        taxed=session["automatic_tax"]["status"] == "complete",
    )
    invoice = invoices.draft(store, store.get("customer", session["customer"]), entries, terms)
    invoices.finalize(store, invoice)
    if invoice["status"] == "open":
        invoices.mark_paid(store, invoice, intent)
    session["invoice"] = invoice["id"]


def _subscribe(store: Store, session: Json, inner: Json, intent: Json | None, method: str | None) -> None:
    """The subscription begins. Its first invoice is paid already, or asks for nothing."""
    buyer = store.get("customer", session["customer"])
    with store.at(clocks.moment(store, buyer)):
        now, data, lines = store.now(), inner["subscription_data"], inner["line_items"]
        plan = Plan(
            [Item(line["price"], line["quantity"]) for line in lines if line["price"]["recurring"]],
            trial_end=trial_end(data, now),
            method=method,
            metadata=data["metadata"],
            description=data.get("description"),
            discount=inner["discount"],
            taxed=session["automatic_tax"]["status"] == "complete",
        )
        once = [
            Line(line["price"], line["quantity"], line["amount_subtotal"], now, now, line["description"])
            for line in lines
            if not line["price"]["recurring"]
        ]
        subscription = cycle.begin(store, buyer, plan, once=once, paid_by=intent)
    session.update(subscription=subscription["id"], invoice=subscription["latest_invoice"])
    if intent is not None:
        store.set_inner(intent["id"], {**store.inner(intent["id"]), "invoice": session["invoice"]})


def trial_end(data: Json, now: int) -> int | None:
    """When the trial of ``subscription_data`` ends."""
    days = data.get("trial_period_days")
    return data.get("trial_end") or (now + days * subscriptions.DAY if days else None)


def _keep_address(store: Store, session: Json, inner: Json) -> None:
    """The customer gets the address that was typed, when the session said so."""
    address = (session["customer_details"] or {}).get("address")
    buyer = customer.find(store, session["customer"]) if session["customer"] else None
    if not address or buyer is None or buyer["address"] is not None:
        return
    if inner["customer_update"].get("address") == "auto" or session["customer_creation"]:
        customer.change(store, buyer, {"address": address})
