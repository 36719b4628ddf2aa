"""Events: what happened, as Stripe reports it to webhooks and in ``/v1/events``."""

from dataclasses import dataclass

from stripe_simulator.core import chaos, endpoint, older_shape
from stripe_simulator.core.identifiers import new_id
from stripe_simulator.core.store import Json, Store

API_VERSION = "2026-10-28.endive"


@dataclass(frozen=True)
class Origin:
    """The API request that caused an event. Both are None if a person caused it on the pay page."""

    request_id: str | None = None
    idempotency_key: str | None = None


PAY_PAGE = Origin()


def emit(
    store: Store, type: str, object: Json, origin: Origin = PAY_PAGE, previous: Json | None = None
) -> None:
    """Record that something happened to ``object``, and queue its delivery if the endpoint wants it.
    ``previous`` are the members that it changed, as they were. Call inside a transaction."""
    version = store.settings["event_version"]
    shown = older_shape.of(store, object) if version == older_shape.VERSION else object
    data = {"object": shown} if previous is None else {"object": shown, "previous_attributes": previous}
    wanted = endpoint.wants(store, type)
    event = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": version,
        "created": store.now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": int(wanted),
        "request": {"id": origin.request_id, "idempotency_key": origin.idempotency_key},
        "type": type,
    }
    number = store.insert(event)
    if not wanted:
        return
    plan = chaos.plan(store, number)
    now = store.clock()
    rows = [
        (event["id"], copy, "pending", delivery.lost, now, now + delivery.wait)
        for copy, delivery in enumerate(plan)
    ]
    store.db.executemany(
        "insert into deliveries (event_id, copy, state, lost, since, next_at) values (?, ?, ?, ?, ?, ?)",
        rows or [(event["id"], 0, "dropped", 0, now, now)],
    )
