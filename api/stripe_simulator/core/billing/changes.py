"""What somebody changes of a subscription: its items with their proration, its end, a pause."""

from collections.abc import Sequence

from stripe_simulator.core.billing import cycle, periods, subscriptions
from stripe_simulator.core.billing.lines import Line
from stripe_simulator.core.billing.subscriptions import Item
from stripe_simulator.core.events import PAY_PAGE, Origin, emit
from stripe_simulator.core.store import Json, Store


def change_items(
    store: Store,
    subscription: Json,
    wanted: Sequence[tuple[str | None, Item | None]],
    behavior: str,
    origin: Origin = PAY_PAGE,
    *,
    anchor_now: bool = False,
) -> None:
    """Give items another price or quantity, add some (without an id), take some away (without an item).

    The rest of the period is credited at the old price and charged at the new one, pro rata. By ``behavior``
    (Stripe's ``proration_behavior``) that waits for the next invoice, is invoiced now, or is left out.
    Another interval begins a new period now, with its invoice."""
    inner = store.inner(subscription["id"])
    period = subscriptions.period_of(subscription)
    old = {item["id"]: item for item in subscription["items"]["data"]}
    new = dict(old)
    for id, item in wanted:
        if item is None:
            del new[str(id)]
        else:
            made = subscriptions.build_item(store, subscription["id"], item, period)
            if id:
                kept = {name: old[id][name] for name in ("id", "created", "metadata")}
                made |= kept
            new[made["id"]] = made
    data = list(new.values())
    restarts = anchor_now or data[0]["price"]["recurring"] != next(iter(old.values()))["price"]["recurring"]
    prorated = behavior != "none" and subscription["status"] not in ("trialing", "paused")
    changed = [id for id in dict.fromkeys((*old, *new)) if old.get(id) != new.get(id)]
    if prorated:
        gone = [old[id] for id in (old if restarts else changed) if id in old]
        inner["pending"] += [line.stored() for line in _unused(store, subscription, gone)]
        if not restarts:
            come = [new[id] for id in changed if id in new]
            inner["pending"] += [line.stored() for line in _remaining(store, subscription, come)]
    changes: Json = {"items": {**subscription["items"], "data": data, "total_count": len(data)}}
    if restarts and subscription["status"] != "trialing":
        changes["billing_cycle_anchor"] = store.now()
        subscriptions.change(store, subscription, changes, inner, origin)
        cycle.renew(store, subscription, inner, origin, reason="subscription_update")
        return
    subscriptions.change(store, subscription, changes, inner, origin)
    if behavior == "always_invoice" and inner["pending"]:
        cycle.bill_pending(store, subscription, inner, origin)


def end_trial(store: Store, subscription: Json, moment: int | None, origin: Origin = PAY_PAGE) -> None:
    """The trial ends at ``moment``, or now: then the first period begins, with its invoice."""
    inner = store.inner(subscription["id"])
    end = moment or store.now()
    data = [{**item, "current_period_end": end} for item in subscription["items"]["data"]]
    changes = {
        "billing_cycle_anchor": end,
        "items": {**subscription["items"], "data": data},
        "trial_end": end,
    }
    subscriptions.change(store, subscription, changes, inner, origin)
    if moment is None:
        cycle.renew(store, subscription, inner, origin)


def schedule_end(
    store: Store, subscription: Json, at: int | None, origin: Origin = PAY_PAGE, *, with_period: bool = False
) -> None:
    """It ends at a moment, ``with_period`` at the end of this one; or no longer (None)."""
    if with_period:
        at = subscriptions.period_of(subscription)[1]
    details = dict(subscription["cancellation_details"])
    details["reason"] = "cancellation_requested" if at else None
    changes = {
        "cancel_at": at,
        "cancel_at_period_end": with_period,
        "canceled_at": store.now() if at else None,
        "cancellation_details": details,
    }
    subscriptions.change(store, subscription, changes, store.inner(subscription["id"]), origin)


def cancel(
    store: Store,
    subscription: Json,
    origin: Origin = PAY_PAGE,
    *,
    prorate: bool = False,
    invoice_now: bool = False,
) -> None:
    """It ends now. With ``prorate`` the rest of the period is credited, with ``invoice_now`` at once."""
    inner = store.inner(subscription["id"])
    if prorate:
        items = subscription["items"]["data"]
        inner["pending"] += [line.stored() for line in _unused(store, subscription, items)]
        store.set_inner(subscription["id"], inner)
    if invoice_now:
        cycle.bill_pending(store, subscription, inner, origin)
    subscriptions.end(store, subscription, "cancellation_requested", origin)


def pause(store: Store, subscription: Json, origin: Origin = PAY_PAGE, *, credit: bool = True) -> None:
    """No period begins until :func:`resume`. The rest of this one is credited on the next invoice."""
    inner = store.inner(subscription["id"])
    if credit:
        items = subscription["items"]["data"]
        inner["pending"] += [line.stored() for line in _unused(store, subscription, items)]
    subscriptions.change(store, subscription, {"status": "paused"}, inner, origin)
    emit(store, "customer.subscription.paused", subscription, origin)


def resume(store: Store, subscription: Json, origin: Origin = PAY_PAGE) -> None:
    """A paused subscription begins a new period now, with its invoice."""
    subscription["billing_cycle_anchor"] = store.now()
    inner = store.inner(subscription["id"])
    cycle.renew(store, subscription, inner, origin, reason="subscription_cycle")
    emit(store, "customer.subscription.resumed", store.get(subscriptions.KIND, subscription["id"]), origin)


def _unused(store: Store, subscription: Json, items: Sequence[Json]) -> list[Line]:
    return [_part(store, subscription, item, -1, "Unused time on") for item in items]


def _remaining(store: Store, subscription: Json, items: Sequence[Json]) -> list[Line]:
    return [_part(store, subscription, item, 1, "Remaining time on") for item in items]


def _part(store: Store, subscription: Json, item: Json, sign: int, words: str) -> Line:
    """What an item costs from now to the end of the period."""
    now = store.now()
    start, end = item["current_period_start"], item["current_period_end"]
    whole = item["price"]["unit_amount"] * item["quantity"]
    amount = round(whole * max(0, end - now) / (end - start))
    name = store.get("product", item["price"]["product"])["name"]
    return Line(
        item["price"],
        item["quantity"],
        sign * amount,
        now,
        end,
        f"{words} {name} after {periods.day(now)}",
        subscription["id"],
        item["id"],
        proration=True,
        metadata=subscription["metadata"],
    )
