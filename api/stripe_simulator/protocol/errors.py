"""Errors in the shape Stripe sends them: ``{"error": {"type", "code", "message", "param"}}``."""

import logging
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from stripe_simulator.core.errors import StripeError
from stripe_simulator.core.identifiers import new_id

_log = logging.getLogger(__name__)


def no_access(account: str) -> StripeError:
    """Stripe's refusal of an account that the key cannot act for. The simulator has no connected accounts."""
    message = (
        f"The provided key does not have access to account '{account}' (or that account does not exist). "
        "The simulator has no connected accounts."
    )
    return StripeError(message, status=403, code="account_invalid")


def unknown_version(version: str, known: str) -> StripeError:
    """Objects of another version look different. So requests for another version are refused."""
    return StripeError(f"The simulator speaks API version {known} only, not {version}.")


def answer_stripe_error(_: Request[Any, Any, Any], error: StripeError) -> Response[bytes]:
    """The response for a :class:`StripeError`."""
    return _json(error.status, error.body)


def answer_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer what the framework refused (unknown path, wrong method, body too large) as Stripe would."""
    if error.status_code in (404, 405):
        message = f"Unrecognized request URL ({request.method}: {request.url.path})."
        return _json(404, StripeError(message).body)
    return _json(error.status_code, StripeError(error.detail).body)


def answer_bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A defect of the simulator itself: 500, logged with its traceback."""
    _log.error("failed on %s %s", request.method, request.url.path, exc_info=error)
    return _json(500, StripeError(f"The simulator failed: {error!r}", type="api_error").body)


def _json(status: int, body: dict[str, Any]) -> Response[bytes]:
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type="application/json",
        headers={"Request-Id": new_id("req", 14)},
    )
