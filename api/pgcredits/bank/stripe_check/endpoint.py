"""The webhook endpoint: there, switched on, once, with the right events and API version."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from pgcredits.bank.stripe_check.given import Given
from pgcredits.bank.stripe_check.line import Line, ok, unknown, wrong
from pgcredits.bank.stripe_check.reading import Json

PATHS = ("/webhooks/stripe", "/api/stripe-webhook")
API_VERSION = "2026-10-28.endive"
TESTED_VERSIONS = (API_VERSION, "2024-06-20")
# Each says the same as another one.
TWINS = {"charge.refund.updated": "refund.updated", "invoice.payment_succeeded": "invoice.paid"}
_EVERYTHING = "*"
_WEBHOOKS = "Developers → Webhooks in Stripe's dashboard"
_RECENT = 3 * 86_400  # seconds: for so long Stripe sends an event again
_PATIENCE = 300  # seconds: an event may be on its way


def check(endpoints: Sequence[Json], given: Given, types: Sequence[str]) -> Iterator[Line]:
    """`types`: the events that the bank applies."""
    about, wanted = "webhook endpoint", {_normal(given.public_url + path) for path in PATHS}
    here = [each for each in endpoints if _normal(str(each.get("url"))) in wanted]
    enabled = [each for each in here if each.get("status") == "enabled"]
    url = given.public_url + PATHS[0]
    if not here and given.public_is_local and not given.live:
        yield unknown(
            about,
            f"Stripe cannot reach {given.public_url}",
            f"let `stripe listen --forward-to {url}` run while you test",
        )
        return
    if not here:
        others = ", ".join(str(each.get("url")) for each in endpoints[:3])
        yield wrong(
            about,
            f"none has the address {url}" + (f", only {others}" if others else ""),
            f"add it under {_WEBHOOKS}, in {given.mode} mode, or correct PGCREDITS_PUBLIC_URL",
        )
        return
    if not enabled:
        yield wrong(about, f"{here[0].get('url')} is disabled", f"enable it under {_WEBHOOKS}")
        return
    if len(enabled) > 1:
        yield wrong(
            about,
            f"{len(enabled)} have this address, so each event comes more than once",
            "delete all but one; meanwhile STRIPE_WEBHOOK_SECRET must list the secrets of all",
        )
    else:
        yield ok(about, f"{enabled[0].get('url')} is enabled")
    for endpoint in enabled:
        yield from _version(endpoint)
        yield from _events(endpoint, types)


def _version(endpoint: Json) -> Iterator[Line]:
    about, version = "API version of the endpoint", endpoint.get("api_version")
    remedy = f"make a new endpoint with {API_VERSION}: the version of an endpoint cannot be changed"
    if version is None:
        yield unknown(about, "it is the default one of the account", remedy)
    elif version in TESTED_VERSIONS:
        yield ok(about, str(version))
    else:
        yield unknown(about, f"pgcredits was not tested with {version}", remedy)


def _events(endpoint: Json, types: Sequence[str]) -> Iterator[Line]:
    about, ticked = "events", set(endpoint.get("enabled_events") or ())
    if _EVERYTHING in ticked:
        yield ok(about, "the endpoint sends every event; those that the bank does not apply move nothing")
        return
    old = endpoint.get("api_version") == TESTED_VERSIONS[1]
    missing = [
        name
        for name in types
        if name not in ticked and (TWINS.get(name) not in ticked or (old and name == "charge.refund.updated"))
    ]
    superfluous = sorted(ticked - set(types))
    if missing:
        yield wrong(
            about,
            f"the endpoint does not send {', '.join(missing)}",
            f"tick them under {_WEBHOOKS}; `pgcredits stripe pull` then reads what was missed",
        )
    else:
        yield ok(about, "the endpoint sends every event that the bank applies")
    if superfluous:
        yield ok(about, f"it also sends {', '.join(superfluous)}, which the bank stores and does not apply")


def check_deliveries(events: Sequence[Json], types: Sequence[str]) -> Line:
    """`events`: those that Stripe could not deliver, newest first."""
    about, now = "deliveries", time.time()
    failed = [
        each
        for each in events
        if each.get("type") in types
        and each.get("pending_webhooks")
        and _PATIENCE < now - int(each.get("created") or 0) < _RECENT
    ]
    if not failed:
        return ok(about, "Stripe has delivered every event of the last three days that the bank applies")
    return wrong(
        about,
        f"Stripe could not deliver {len(failed)} events, {failed[0].get('id')} the last of them",
        f"look at the answers under {_WEBHOOKS}: bad_signature means that STRIPE_WEBHOOK_SECRET is that of"
        " another endpoint",
    )


def _normal(url: str) -> tuple[str, str, int | None, str]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return ("", "", None, url)
    return (parts.scheme, parts.hostname or "", port, parts.path.rstrip("/"))
