"""Test clocks: the time of a customer's subscriptions, which only moves when it is told to."""

from stripe_simulator.core import customer
from stripe_simulator.core.billing import cycle, subscriptions
from stripe_simulator.core.events import Origin, emit
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.store import Json, Store

KIND = "test_helpers.test_clock"
_KEPT = 30 * 86400


def new(store: Store, frozen_time: int, name: str | None, origin: Origin) -> Json:
    """Store a clock that stands still."""
    clock = {
        "id": new_id("clock"),
        "object": KIND,
        "created": store.real_now(),
        "deletes_after": store.real_now() + _KEPT,
        "frozen_time": frozen_time,
        "livemode": False,
        "name": name,
        "status": "ready",
        "status_details": {},
    }
    store.insert(clock)
    emit(store, "test_helpers.test_clock.created", clock, origin)
    return clock


def moment(store: Store, buyer: Json) -> int | None:
    """What time it is for a customer; None is the real time."""
    if buyer.get("test_clock") is None:
        return None
    frozen: int = store.get(KIND, buyer["test_clock"])["frozen_time"]
    return frozen


def follow_intent(store: Store, intent: Json) -> None:
    """Let an invoice and its subscription follow a PaymentIntent, at the time of its customer."""
    if buyer := store.find("customer", intent["customer"] or ""):
        with store.at(moment(store, buyer)):
            subscriptions.follow_intent(store, intent)


def advance(store: Store, clock: Json, to: int, origin: Origin) -> Json:
    """Let time pass: everything that is due happens, in its order. Returns the clock as it was under way;
    when the caller reads it again it is ready."""
    under_way = {
        **clock,
        "status": "advancing",
        "status_details": {"advancing": {"target_frozen_time": to}},
    }
    emit(store, "test_helpers.test_clock.advancing", under_way, origin)
    while due := _next(store, clock["id"], to):
        at, subscription_id = due
        clock["frozen_time"] = max(clock["frozen_time"], at)
        store.update(clock)
        cycle.run(store, subscription_id, at)
    clock["frozen_time"] = to
    store.update(clock)
    emit(store, "test_helpers.test_clock.ready", clock, origin)
    return under_way


def delete(store: Store, clock: Json, origin: Origin) -> Json:
    """The clock goes with its customers, and their subscriptions end without a word."""
    for subscription in store.where(subscriptions.KIND, "test_clock", clock["id"]):
        if not cycle.is_over(subscription):
            subscription.update(status="canceled", ended_at=clock["frozen_time"])
            subscriptions.save(store, subscription, store.inner(subscription["id"]))
    for buyer in store.where("customer", "test_clock", clock["id"]):
        if customer.find(store, buyer["id"]):
            store.update({"id": buyer["id"], "object": "customer", "deleted": True})
    gone = {"id": clock["id"], "object": KIND, "deleted": True}
    emit(store, "test_helpers.test_clock.deleted", clock, origin)
    store.update(gone)
    return gone


def _next(store: Store, clock_id: str, until: int) -> tuple[int, str] | None:
    """The next thing that happens to one of the clock's subscriptions."""
    row = store.db.execute(
        "select json_extract(inner, '$.due'), id from objects"
        " where kind = 'subscription' and json_extract(body, '$.test_clock') = ?"
        " and json_extract(inner, '$.due') <= ? order by 1, seq limit 1",
        (clock_id, until),
    ).fetchone()
    return (int(row[0]), str(row[1])) if row else None
