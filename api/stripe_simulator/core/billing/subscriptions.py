"""Subscriptions: what they are, and how one follows its invoices.

An invoice that is paid makes it active. One that is not makes it past due; the card is tried again some days
later, and after the last time the subscription ends, or does what the setting ``after_retries`` says."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from stripe_simulator.core.billing import invoices
from stripe_simulator.core.billing.invoices import Schedule
from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.payments.cards import DEBIT_FAILED
from stripe_simulator.core.store import Json, Store

KIND = "subscription"
OVER = ("canceled", "incomplete_expired")
DAY = 86400
_INCOMPLETE_FOR = 23 * 3600
_WARN_BEFORE = 3 * DAY


@dataclass(frozen=True)
class Item:
    """What a subscription bills in each period."""

    price: Json
    quantity: int = 1


@dataclass(frozen=True)
class Plan:
    """What a new subscription is told. A trial lasts until ``trial_end``."""

    items: Sequence[Item]
    trial_end: int | None = None
    method: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    description: str | None = None
    discount: Json | None = None
    taxed: bool = False
    cancel_at_period_end: bool = False
    missing_method: str = "create_invoice"


def build(store: Store, customer: Json, plan: Plan, period: tuple[int, int]) -> Json:
    """A subscription that has not been stored."""
    id, now = new_id("sub"), store.now()
    return {
        **_constants(),
        "id": id,
        "object": KIND,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": plan.taxed,
            "liability": {"type": "self"} if plan.taxed else None,
        },
        "billing_cycle_anchor": plan.trial_end or now,
        "cancel_at": period[1] if plan.cancel_at_period_end else None,
        "cancel_at_period_end": plan.cancel_at_period_end,
        "created": now,
        "currency": plan.items[0].price["currency"],
        "customer": customer["id"],
        "default_payment_method": plan.method,
        "description": plan.description,
        "items": {
            "object": "list",
            "data": [build_item(store, id, item, period) for item in plan.items],
            "has_more": False,
            "total_count": len(plan.items),
            "url": f"/v1/subscription_items?subscription={id}",
        },
        "metadata": plan.metadata,
        "start_date": now,
        "status": "trialing" if plan.trial_end else "incomplete",
        "test_clock": customer["test_clock"],
        "trial_end": plan.trial_end,
        "trial_settings": {"end_behavior": {"missing_payment_method": plan.missing_method}},
        "trial_start": now if plan.trial_end else None,
    }


def build_item(store: Store, subscription_id: str, item: Item, period: tuple[int, int]) -> Json:
    """A subscription item that has not been stored."""
    return {
        "id": new_id("si"),
        "object": "subscription_item",
        "billed_until": None,
        "billing_thresholds": None,
        "created": store.now(),
        "current_period_end": period[1],
        "current_period_start": period[0],
        "current_trial": None,
        "discounts": [],
        "metadata": {},
        "plan": old_plan(item.price),
        "price": item.price,
        "quantity": item.quantity,
        "subscription": subscription_id,
        "tax_rates": [],
    }


def save(store: Store, subscription: Json, inner: Json) -> None:
    """Store both sides of a subscription that is there, and when it moves next by itself."""
    inner["due"] = _next_move(store, subscription, inner)
    store.set_inner(subscription["id"], inner)
    on_real_time = subscription["test_clock"] is None
    store.update(subscription, due=inner["due"] if on_real_time else None)


def change(store: Store, subscription: Json, changes: Json, inner: Json, origin: Origin = PAY_PAGE) -> None:
    """Store other members of a subscription, and report what they were."""
    previous = {name: subscription[name] for name, value in changes.items() if subscription[name] != value}
    subscription.update(changes)
    save(store, subscription, inner)
    if previous:
        emit(store, "customer.subscription.updated", subscription, origin, previous)


def method_of(store: Store, subscription: Json) -> Json | None:
    """The PaymentMethod that pays: its own, or the customer's default."""
    customer = store.get("customer", subscription["customer"])
    id = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    return store.find("payment_method", id) if id else None


def collect(
    store: Store,
    invoice: Json,
    method: Json | None,
    origin: Origin = PAY_PAGE,
    *,
    off_session: bool = True,
    automatic: bool = False,
) -> bool:
    """Try to collect an invoice, and let its subscription follow. Says whether it is paid now. An
    ``automatic`` attempt that fails is followed by another one some days later."""
    schedule = _schedule(store, invoice) if automatic else None
    paid = invoices.collect(store, invoice, method, origin, off_session=off_session, schedule=schedule)
    follow(store, invoice, origin, last=_is_last(invoice, schedule))
    return paid


def follow(store: Store, invoice: Json, origin: Origin = PAY_PAGE, *, last: bool = False) -> None:
    """The subscription's status after its invoice was paid, or was not. After the ``last`` attempt it does
    what the setting says. A bank debit that is on its way counts as paid until it fails."""
    id = store.inner(invoice["id"])["subscription"]
    subscription = store.find(KIND, id) if id else None
    if subscription is None or subscription["status"] in OVER:
        return
    inner, status = store.inner(subscription["id"]), subscription["status"]
    if invoice["status"] == "paid":
        if status in ("incomplete", "past_due", "unpaid") and not invoices.of_subscription(store, id, "open"):
            change(store, subscription, {"status": "active"}, inner, origin)
    elif invoices.is_processing(store, invoice):
        if status == "incomplete":
            change(store, subscription, {"status": "active"}, inner, origin)
    elif invoice["status"] == "open" and invoice["attempted"]:
        if status in ("active", "trialing"):
            change(store, subscription, {"status": "past_due"}, inner, origin)
        if last:
            _exhausted(store, subscription, inner)
    save(store, subscription, inner)


def follow_intent(store: Store, intent: Json) -> None:
    """The PaymentIntent of an invoice has moved by itself: confirmed, refused, or a debit that ended. A debit
    that has failed is followed by another attempt, a refusal by its owner is not."""
    invoice = invoices.of_intent(store, intent)
    if invoice is None:
        return
    schedule = None
    if intent["status"] == "succeeded":
        invoices.mark_paid(store, invoice, intent)
    elif intent["status"] == "requires_payment_method":
        error = intent["last_payment_error"] or {}
        if error.get("code") == DEBIT_FAILED["code"]:
            schedule = _schedule(store, invoice)
        invoices.note_failure(store, invoice, intent, schedule, PAY_PAGE)
    follow(store, invoice, last=_is_last(invoice, schedule))


def end(store: Store, subscription: Json, reason: str, origin: Origin = PAY_PAGE) -> None:
    """The subscription is over, for ever. Nobody collects its invoices any more."""
    now = store.now()
    subscription.update(
        status="canceled",
        canceled_at=subscription["canceled_at"] or now,
        ended_at=now,
        pause_collection=None,
    )
    if subscription["cancellation_details"]["reason"] is None:
        subscription["cancellation_details"]["reason"] = reason
    for invoice in invoices.of_subscription(store, subscription["id"], "open"):
        invoice.update(auto_advance=False, next_payment_attempt=None)
        store.update(invoice)
    save(store, subscription, store.inner(subscription["id"]))
    emit(store, "customer.subscription.deleted", subscription, origin)


def old_plan(price: Json) -> Json:
    """The price as a plan, which subscription items still have."""
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def period_of(subscription: Json) -> tuple[int, int]:
    """The current period."""
    item = subscription["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


def _schedule(store: Store, invoice: Json) -> Schedule:
    """The attempts after a first one that fails. A subscription's first invoice is tried once."""
    days: list[int] = store.settings["retry_days"]
    attempts = invoice["attempt_count"]
    if invoice["billing_reason"] == "subscription_create" or attempts >= len(days):
        return Schedule(None)
    return Schedule(store.now() + days[attempts] * DAY)


def _is_last(invoice: Json, schedule: Schedule | None) -> bool:
    first = invoice["billing_reason"] == "subscription_create"
    return schedule is not None and schedule.next_attempt is None and not first


def _exhausted(store: Store, subscription: Json, inner: Json) -> None:
    """The last attempt has failed."""
    after = store.settings["after_retries"]
    if after == "cancel":
        end(store, subscription, "payment_failed")
    elif after == "unpaid":
        change(store, subscription, {"status": "unpaid"}, inner)


def _next_move(store: Store, subscription: Json, inner: Json) -> int | None:
    """When time changes it next."""
    status = subscription["status"]
    if status in OVER:
        return None
    if status == "paused":
        ends: int | None = subscription["cancel_at"]
        return ends
    if status == "incomplete":
        return int(subscription["created"] + _INCOMPLETE_FOR)
    moments = [period_of(subscription)[1]]
    if subscription["cancel_at"]:
        moments.append(subscription["cancel_at"])
    if status == "trialing" and not inner.get("warned"):
        moments.append(subscription["trial_end"] - _WARN_BEFORE)
    if (pause := subscription["pause_collection"]) and pause["resumes_at"]:
        moments.append(pause["resumes_at"])
    moments += [
        invoice["next_payment_attempt"]
        for invoice in invoices.of_subscription(store, subscription["id"], "open")
        if invoice["next_payment_attempt"]
    ]
    return min(moments)


def _constants() -> Json:
    nothing = (
        *("application", "application_fee_percent", "billing_cycle_anchor_config", "billing_thresholds"),
        *("canceled_at", "customer_account", "days_until_due", "default_source", "ended_at"),
        *("latest_invoice", "next_pending_invoice_item_invoice", "on_behalf_of", "pause_collection"),
        *("pending_invoice_item_interval", "pending_setup_intent", "pending_update", "schedule"),
        "transfer_data",
    )
    return dict.fromkeys(nothing) | {
        "billing_mode": {"flexible": None, "type": "classic", "updated_at": None},
        "billing_schedules": [],
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "livemode": False,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
    }
