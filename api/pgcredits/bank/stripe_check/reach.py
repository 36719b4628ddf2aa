"""Is the webhook reachable, and does it have our secret? Nothing is stored by asking.

A signed text that is no event is refused with `bad_payload`, after its signature was verified. With another
secret it is refused with `bad_signature`. So this tells whether the HTTP API has the secrets that we have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import stripe

from pgcredits.bank.stripe_check.endpoint import PATHS
from pgcredits.bank.stripe_check.given import Given
from pgcredits.bank.stripe_check.line import Line, ok, wrong

SECONDS = 10.0
_NO_EVENT = "[]"


def check(given: Given) -> Iterator[Line]:
    """Asks PGCREDITS_PUBLIC_URL, as Stripe and buyers do."""
    about = "PGCREDITS_PUBLIC_URL"
    parts = urlsplit(given.public_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        yield wrong(about, "is no http(s) URL", "set it to where people reach the HTTP API")
        return
    if given.live and parts.scheme != "https":
        yield wrong(
            about,
            f"{given.public_url} is not https: Stripe sends live events to https only",
            "docs/operations.md",
        )
    with httpx.Client(timeout=SECONDS, follow_redirects=False) as client:
        try:
            answer = client.get(f"{given.public_url}/health/ready")
        except httpx.HTTPError as error:
            yield wrong(
                about,
                f"{given.public_url} does not answer: {type(error).__name__}",
                "start the HTTP API, and look at the name, the certificate and the proxy",
            )
            return
        yield _readiness(given, answer)
        if answer.status_code == 200:
            yield from _secrets(client, given)


def _readiness(given: Given, answer: httpx.Response) -> Line:
    about = "PGCREDITS_PUBLIC_URL"
    try:
        body = answer.json()
        status, payments = str(body["status"]), str(body.get("payments"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return wrong(
            about,
            f"{given.public_url}/health/ready answers {answer.status_code}, and not as the HTTP API does",
            "another program listens there, or the proxy passes something else on",
        )
    if answer.status_code != 200:
        return wrong(about, f"the HTTP API is {status}", "its log says why: docs/monitoring.md")
    if payments != "open":
        return wrong(about, f"the HTTP API sells nothing: {payments}", "start it with the settings of Stripe")
    return ok(about, f"{given.public_url} is ready, and payments are open")


def _secrets(client: httpx.Client, given: Given) -> Iterator[Line]:
    about = "signature"
    for place, secret in enumerate(given.webhook_secrets, start=1):
        name = "the secret" if len(given.webhook_secrets) == 1 else f"secret {place}"
        signature = stripe.WebhookSignature.generate_signature_header(_NO_EVENT, secret)
        headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
        try:
            answer = client.post(f"{given.public_url}{PATHS[0]}", content=_NO_EVENT, headers=headers)
        except httpx.HTTPError as error:
            yield wrong(about, f"the webhook does not answer: {type(error).__name__}", "look at the proxy")
            return
        slug = _slug(answer)
        if (answer.status_code, slug) == (400, "bad_payload"):
            yield ok(about, f"the HTTP API verifies with {name}")
        elif slug == "bad_signature":
            yield wrong(
                about,
                f"the HTTP API does not have {name}, or its clock is wrong",
                "give both the same STRIPE_WEBHOOK_SECRET, and start the HTTP API again",
            )
        else:
            yield wrong(
                about,
                f"the webhook answers {answer.status_code} {slug or ''}".rstrip(),
                "let the proxy pass POST /webhooks/stripe on, with its header Stripe-Signature",
            )


def _slug(answer: httpx.Response) -> str | None:
    try:
        return str(json.loads(answer.json()["details"])["error"])
    except (ValueError, KeyError, TypeError):
        return None
