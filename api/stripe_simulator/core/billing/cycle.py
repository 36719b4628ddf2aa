"""A subscription begins, and what time does to it: renewals, retries, the end of trials and pauses."""

from collections.abc import Sequence

from stripe_simulator.core.billing import invoices, periods, subscriptions
from stripe_simulator.core.billing.invoices import Schedule, Terms
from stripe_simulator.core.billing.lines import Line
from stripe_simulator.core.billing.subscriptions import KIND, OVER, Item, Plan
from stripe_simulator.core.currencies import money
from stripe_simulator.core.errors import PaymentRefused
from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.store import Json, Store


def begin(
    store: Store,
    customer: Json,
    plan: Plan,
    origin: Origin = PAY_PAGE,
    *,
    once: Sequence[Line] = (),
    paid_by: Json | None = None,
    behavior: str = "allow_incomplete",
) -> Json:
    """Store a subscription with its first invoice, and collect that. ``once`` are lines of the first invoice
    only. ``paid_by`` is a PaymentIntent that has paid it already. ``behavior`` is Stripe's
    ``payment_behavior``: with ``error_if_incomplete`` a refused payment raises, and nothing stays."""
    now = store.now()
    end = plan.trial_end or periods.end_of(now, now, plan.items[0].price["recurring"])
    subscription = subscriptions.build(store, customer, plan, (now, end))
    inner: Json = {"discount": plan.discount, "pending": [], "taxed": plan.taxed, "billed": 0}
    store.insert(subscription, inner)
    entries = [*_lines(store, subscription, free=bool(plan.trial_end)), *once]
    invoice = _draft(store, subscription, inner, entries, "subscription_create", (now, now), origin)
    subscription["latest_invoice"] = invoice["id"]
    subscriptions.save(store, subscription, inner)
    emit(store, "customer.subscription.created", subscription, origin)
    invoices.finalize(store, invoice, origin)
    if paid_by is not None and invoice["status"] == "open":
        invoices.mark_paid(store, invoice, paid_by, origin)
    if behavior == "default_incomplete" and invoice["status"] == "open":
        invoices.prepare(store, invoice)
    elif invoice["status"] == "open":
        _collect_first(store, subscription, invoice, origin, must=behavior == "error_if_incomplete")
    subscriptions.follow(store, invoice, origin)
    return store.get(KIND, subscription["id"])


def run(store: Store, subscription_id: str, until: int) -> None:
    """Let time pass for one subscription, a move after the other. Call inside a transaction."""
    while True:
        due = store.inner(subscription_id)["due"]
        if due is None or due > until:
            return
        with store.at(due):
            step(store, store.get(KIND, subscription_id))


def step(store: Store, subscription: Json) -> None:
    """What happens to a subscription at this moment, which is when it moves next."""
    now, inner = store.now(), store.inner(subscription["id"])
    pause = subscription["pause_collection"]
    if subscription["status"] == "incomplete":
        for invoice in invoices.of_subscription(store, subscription["id"], "open"):
            invoices.give_up(store, invoice, "void")
        changes = {"status": "incomplete_expired", "ended_at": now}
        subscriptions.change(store, subscription, changes, inner)
    elif subscription["cancel_at"] and subscription["cancel_at"] <= now:
        subscriptions.end(store, subscription, "cancellation_requested")
    elif pause and pause["resumes_at"] and pause["resumes_at"] <= now:
        subscriptions.change(store, subscription, {"pause_collection": None}, inner)
    elif again := _to_try_again(store, subscription, now):
        method = subscriptions.method_of(store, subscription)
        subscriptions.collect(store, again, method, automatic=True)
    elif subscription["status"] == "trialing" and not inner.get("warned"):
        subscriptions.save(store, subscription, inner | {"warned": True})
        emit(store, "customer.subscription.trial_will_end", subscription)
    else:
        renew(store, subscription, inner)


def renew(
    store: Store,
    subscription: Json,
    inner: Json,
    origin: Origin = PAY_PAGE,
    *,
    reason: str = "subscription_cycle",
) -> Json | None:
    """A new period begins now, with an invoice for it and for what is pending. A trial without a card may end
    in a pause."""
    now = store.now()
    if subscription["status"] == "trialing" and _pauses(store, subscription, inner, origin):
        return None
    start, end = subscriptions.period_of(subscription)
    before = (start, min(end, now))
    data = [dict(item) for item in subscription["items"]["data"]]
    for item in data:
        end = periods.end_of(subscription["billing_cycle_anchor"], now, item["price"]["recurring"])
        item.update(current_period_start=now, current_period_end=end)
    changes: Json = {"items": {**subscription["items"], "data": data}}
    if subscription["status"] in ("trialing", "paused"):
        changes["status"] = "active"
    draft = {**subscription, **changes}
    entries = [*(Line(**line) for line in inner["pending"]), *_lines(store, draft)]
    invoice = _draft(store, draft, inner, entries, reason, before, origin)
    inner["pending"] = []
    changes["latest_invoice"] = invoice["id"]
    subscriptions.change(store, subscription, changes, inner, origin)
    bill(store, subscription, invoice, origin)
    return invoice


def bill_pending(
    store: Store, subscription: Json, inner: Json, origin: Origin, *, reason: str = "subscription_update"
) -> Json | None:
    """An invoice for what is pending, now. None when nothing is."""
    if not inner["pending"]:
        return None
    entries = [Line(**line) for line in inner["pending"]]
    inner["pending"] = []
    period = (store.now(), store.now())
    invoice = _draft(store, subscription, inner, entries, reason, period, origin)
    subscriptions.change(store, subscription, {"latest_invoice": invoice["id"]}, inner, origin)
    bill(store, subscription, invoice, origin)
    return invoice


def bill(store: Store, subscription: Json, invoice: Json, origin: Origin) -> None:
    """Finalize and collect an invoice, unless collection is paused or the subscription unpaid."""
    pause = subscription["pause_collection"]
    if subscription["status"] == "unpaid" or (pause and pause["behavior"] == "keep_as_draft"):
        invoice["auto_advance"] = False
        store.update(invoice)
        return
    invoices.finalize(store, invoice, origin)
    if pause and invoice["status"] == "open":
        word = {"void": "void", "mark_uncollectible": "uncollectible"}[pause["behavior"]]
        invoices.give_up(store, invoice, word, origin)
    elif invoice["status"] == "open":
        method = subscriptions.method_of(store, subscription)
        subscriptions.collect(store, invoice, method, origin, automatic=True)
    subscription.update(store.get(KIND, subscription["id"]))


def _collect_first(store: Store, subscription: Json, invoice: Json, origin: Origin, *, must: bool) -> None:
    method = subscriptions.method_of(store, subscription)
    paid = invoices.collect(store, invoice, method, origin, schedule=Schedule(None))
    if not paid and must:
        intent = invoices.prepare(store, invoice)
        error = intent["last_payment_error"] or _NO_METHOD
        raise PaymentRefused(error, keep=False)


_NO_METHOD: Json = {
    "code": "resource_missing",
    "message": (
        "This customer has no attached payment source or default payment method. Please consider adding a "
        "default payment method."
    ),
    "type": "invalid_request_error",
}


def _draft(
    store: Store,
    subscription: Json,
    inner: Json,
    entries: Sequence[Line],
    reason: str,
    period: tuple[int, int],
    origin: Origin,
) -> Json:
    terms = Terms(
        reason,
        period,
        subscription=subscription,
        coupon=_coupon(store, inner),
        taxed=inner["taxed"],
        method=subscription["default_payment_method"],
    )
    inner["billed"] += 1
    return invoices.draft(store, store.get("customer", subscription["customer"]), entries, terms, origin)


def _coupon(store: Store, inner: Json) -> Json | None:
    """The coupon of this invoice: a coupon may hold once, for some months, or for ever."""
    given = inner["discount"]
    if not given:
        return None
    id = given.get("coupon") or store.get("promotion_code", given["promotion_code"])["promotion"]["coupon"]
    coupon = store.get("coupon", id)
    uses = {"once": 1, "repeating": coupon["duration_in_months"]}.get(coupon["duration"])
    return coupon if uses is None or inner["billed"] < uses else None


def _lines(store: Store, subscription: Json, *, free: bool = False) -> list[Line]:
    """A line for each item, for its current period."""
    return [
        Line(
            item["price"],
            item["quantity"],
            0 if free else item["price"]["unit_amount"] * item["quantity"],
            item["current_period_start"],
            item["current_period_end"],
            _description(store, Item(item["price"], item["quantity"]), free=free),
            subscription["id"],
            item["id"],
            metadata=subscription["metadata"],
        )
        for item in subscription["items"]["data"]
    ]


def _description(store: Store, item: Item, *, free: bool) -> str:
    name = store.get("product", item.price["product"])["name"]
    if free:
        return f"Trial period for {name}"
    each = money(item.price["unit_amount"], item.price["currency"])
    return f"{item.quantity} × {name} (at {each} / {item.price['recurring']['interval']})"


def _to_try_again(store: Store, subscription: Json, now: int) -> Json | None:
    for invoice in invoices.of_subscription(store, subscription["id"], "open"):
        if invoice["next_payment_attempt"] and invoice["next_payment_attempt"] <= now:
            return invoice
    return None


def _pauses(store: Store, subscription: Json, inner: Json, origin: Origin) -> bool:
    """A trial ends and there is no card: the subscription may be told to end or to pause then."""
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if behavior == "create_invoice" or subscriptions.method_of(store, subscription) is not None:
        return False
    if behavior == "cancel":
        subscriptions.end(store, subscription, "payment_failed", origin)
    else:
        subscriptions.change(store, subscription, {"status": "paused"}, inner, origin)
        emit(store, "customer.subscription.paused", subscription, origin)
    return True


def is_over(subscription: Json) -> bool:
    """Nothing happens to it any more."""
    return subscription["status"] in OVER
