"""Stripe's webhooks. We verify an event here, and the database applies it.

Stripe repeats an event until the answer is 2xx. So an event that is not from Stripe gets 400, and an event
that fails on our side gets 5xx and comes again. Every other event gets 200, known or not, new or repeated.
When jsonb cannot hold a verified event, we apply it in a form that jsonb can hold, and keep its bytes.
"""

from __future__ import annotations

import hmac
import re
import time
from typing import Any

import msgspec
import psycopg
from litestar import Request, Response, post
from litestar.di import NamedDependency

from pgcredits.http.errors import ApiError, log, loggable, refuse, understand
from pgcredits.http.functions import jsonbody, rpc
from pgcredits.http.resources import Resources
from pgcredits.settings import Settings
from pgcredits.storable import storable
from pgcredits.tokens import SERVICE

_EVENT_ID = re.compile(rb"\bevt_[A-Za-z0-9_]{1,64}\b")  # of an event, the log has nothing else
_LARGEST = 1_000_000  # bytes
_OLDEST = 300  # seconds since the signature
_AHEAD = 10  # seconds by which Stripe's clock may be ahead of ours
_LONGEST_ID = 255  # characters, as the database keeps them; Stripe's own have 30
_REFUSED = ("bad_event", "foreign_account", "wrong_mode")  # by the database: Stripe is told so


@post(["/webhooks/stripe", "/api/stripe-webhook"], status_code=200, request_max_body_size=_LARGEST)
async def receive(
    request: Request[Any, Any, Any],
    resources: NamedDependency[Resources],
) -> Response[bytes]:
    """A signed event → {"event_id", "type", "outcome", "order_id", "entry_id"}."""
    body = await request.body()
    verify(body, request.headers.get("stripe-signature"), resources.settings.stripe_webhook_secrets)
    path = request.url.path
    try:
        arguments = _arguments(body, resources.settings)
    except ApiError as error:
        raise _ours_or_theirs(error, body) from error
    try:
        text = await rpc.call(
            resources.schema_cache,
            SERVICE,
            "apply_stripe_event",
            arguments,
            path=path,
            account_id=_account_of(arguments),
            kind="webhook",
        )
    except psycopg.Error as error:
        raise _ours_or_theirs(error, body) from error
    return Response(text, status_code=200, media_type="application/json")


def verify(body: bytes, signature: str | None, secrets: tuple[str, ...]) -> None:
    """Raises ApiError 400 bad_signature unless one of our secrets signed this in the last five minutes.

    We check the bytes, which is what Stripe signs. The library checks text, and an event may not be text.
    """
    if not secrets:
        raise refuse(503, "unavailable", "STRIPE_WEBHOOK_SECRET is not set: events cannot be verified.")
    if not signature or not signature.isascii():
        raise refuse(400, "bad_signature", "The Stripe-Signature header is missing or malformed.")
    items = [item.strip().partition("=")[::2] for item in signature.split(",")]
    times = [value for name, value in items if name == "t"]
    given = [value for name, value in items if name == "v1"]
    if len(times) != 1 or not times[0].isdigit() or float(times[0]) > time.time() + _AHEAD:
        raise refuse(400, "bad_signature", "The signature carries no time, or one in the future.")
    signed = times[0].encode() + b"." + body
    for secret in filter(str.strip, secrets):
        expected = hmac.digest(secret.encode(), signed, "sha256").hex()
        if any(hmac.compare_digest(expected, each) for each in given):
            break
    else:
        raise refuse(400, _slug_of_unsigned(body), "The signature is not Stripe's.")
    if float(times[0]) < time.time() - _OLDEST:
        raise refuse(400, "bad_signature", "The signature is older than five minutes.")


class _Session(msgspec.Struct):
    client_reference_id: str | None = None


class _Data(msgspec.Struct):
    object: _Session


class _Event(msgspec.Struct):
    data: _Data


_EVENT = msgspec.json.Decoder(_Event)


def _account_of(arguments: jsonbody.JsonObject) -> str | None:
    """The account that an event names, for its lane only. credits.order_of_session reads the same member."""
    try:
        return _EVENT.decode(arguments.members["event"]).data.object.client_reference_id
    except (msgspec.MsgspecError, RecursionError):
        return None


def _slug_of_unsigned(body: bytes) -> str:
    try:
        body.decode()
    except UnicodeDecodeError:
        return "bad_payload"
    return "bad_signature"


def _arguments(body: bytes, settings: Settings) -> jsonbody.JsonObject:
    """Raises ApiError 400 bad_payload."""
    try:
        text, replaced = storable(body)
        event = jsonbody.parse(text.encode())
    except (ApiError, ValueError, RecursionError):
        raise refuse(400, "bad_payload", "The event is not a JSON object.") from None
    if event.members.get("livemode") != ("true" if settings.live else "false"):
        raise refuse(400, "bad_payload", "The event is not of the mode (live or test) of our key.")
    members = {"event": event.text}
    if replaced or len(event.string("id") or "") > _LONGEST_ID:
        log.warning("event %s cannot be stored as it came: its bytes are kept", event.string("id"))
        members["payload"] = jsonbody.text(f"\\x{body.hex()}")
    return jsonbody.build(members)


def _ours_or_theirs(error: ApiError | psycopg.Error, body: bytes) -> ApiError:
    seen = understand(error, anonymous=False)
    if isinstance(error, ApiError) or seen.slug in _REFUSED:
        named = _EVENT_ID.search(body)
        log.warning(
            "the signed Stripe event %s was refused: %s",
            named[0].decode() if named else "without an id",
            seen.slug or seen.code,
        )
        return refuse(400, seen.slug or "bad_payload", seen.message)
    log.error("a Stripe event could not be applied: %s", loggable(error))
    if seen.status >= 500:
        return seen
    # As far as we know the event is right. Stripe will send it again while somebody looks into it.
    return ApiError(500, "PT500", "The event could not be applied.", details='{"error": "internal"}')
