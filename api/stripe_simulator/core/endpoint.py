"""The one webhook endpoint: where events go, and which of them."""

from typing import Any

from stripe_simulator.core.store import Json, Store

KIND = "webhook_endpoint"
ID = "we_simulated"
EVERYTHING = "*"


def serve(store: Store, url: str) -> None:
    """Let events go to ``url``. Changes of the endpoint stay as they are. Call inside a transaction."""
    known = store.find(KIND, ID)
    if known is not None:
        store.update({**known, "url": url})
        return
    store.insert(
        {
            "id": ID,
            "object": KIND,
            "api_version": None,
            "application": None,
            "created": store.real_now(),
            "description": "named on the command line",
            "enabled_events": [EVERYTHING],
            "livemode": False,
            "metadata": {},
            "status": "enabled",
            "url": url,
        }
    )


def wants(store: Store, type: str) -> bool:
    """Is an event of this type sent?"""
    endpoint: Json | None = store.find(KIND, ID)
    if endpoint is None:
        return True
    events: list[Any] = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and (EVERYTHING in events or type in events)
