"""Stripe's webhooks: verified here, applied in the database.

Stripe repeats whatever is not answered 2xx. So what is not from Stripe gets 400, what failed on our side
gets 5xx and comes again, and everything else, known or not, new or repeated, gets 200.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec
import psycopg
import stripe
from litestar import Request, Response, post
from litestar.di import NamedDependency

from pgcredits import jsonbody, rpc
from pgcredits.door import Door
from pgcredits.errors import ApiError, log, refuse, understand
from pgcredits.settings import Settings
from pgcredits.tokens import SERVICE

_LARGEST = 1_000_000  # bytes
_TOLERANCE = 300  # seconds that a signature may be old, or ahead of our clock


@post(["/webhooks/stripe", "/api/stripe-webhook"], status_code=200, request_max_body_size=_LARGEST)
async def receive(
    request: Request[Any, Any, Any],
    door: NamedDependency[Door],
) -> Response[bytes]:
    """A signed event → {"event_id", "type", "outcome", "order_id", "entry_id"}."""
    payload = _text(await request.body())
    verify(payload, request.headers.get("stripe-signature"), door.settings.stripe_webhook_secrets)
    event = _event(payload, door.settings)
    arguments = jsonbody.build({"event": event.text})
    path = request.url.path
    try:
        text = await rpc.call(door.catalogue, SERVICE, "apply_stripe_event", arguments, path=path)
    except psycopg.Error as error:
        raise _ours_or_theirs(error) from error
    return Response(text, status_code=200, media_type="application/json")


def verify(payload: str, signature: str | None, secrets: tuple[str, ...]) -> None:
    """Raises ApiError 400 bad_signature unless one of our secrets signed this, within five minutes of now."""
    if not secrets:
        raise refuse(503, "unavailable", "STRIPE_WEBHOOK_SECRET is not set: events cannot be verified.")
    if not signature or not signature.isascii():
        raise refuse(400, "bad_signature", "The Stripe-Signature header is missing or malformed.")
    times = [item[2:] for item in signature.split(",") if item.startswith("t=")]
    # The library takes the first time, and looks only for times that are too old.
    if not times or not times[0].isdigit() or float(times[0]) > time.time() + _TOLERANCE:
        raise refuse(400, "bad_signature", "The signature carries no time, or one in the future.")
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(payload, signature, secret, tolerance=_TOLERANCE)
            return
        except (stripe.SignatureVerificationError, ValueError, TypeError):
            continue
    raise refuse(400, "bad_signature", "The signature is not Stripe's, or older than five minutes.")


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise refuse(400, "bad_payload", "The event is not UTF-8.") from None


def _event(payload: str, settings: Settings) -> jsonbody.JsonObject:
    try:
        event = jsonbody.parse(payload.encode())
        msgspec.json.decode(payload)  # every value, not only the members
    except (ApiError, msgspec.DecodeError, RecursionError):
        raise refuse(400, "bad_payload", "The event is not a JSON object that can be stored.") from None
    if event.members.get("livemode") != ("true" if settings.live else "false"):
        raise refuse(400, "bad_payload", "The event is not of the mode (live or test) of our key.")
    return event


def _ours_or_theirs(error: psycopg.Error) -> ApiError:
    seen = understand(error, anonymous=False)
    if seen.slug == "bad_event":
        return refuse(400, "bad_event", seen.message)
    log.error("a Stripe event could not be applied: %s", error)
    if seen.status >= 500:
        return seen
    # Not the event's fault as far as we know: let Stripe bring it again while somebody looks.
    return ApiError(500, "PT500", "The event could not be applied.", details='{"error": "internal"}')
