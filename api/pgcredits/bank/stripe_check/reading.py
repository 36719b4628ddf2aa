"""Reading from Stripe, with bounds."""

from __future__ import annotations

from typing import Any

import msgspec
import stripe

Json = dict[str, Any]
SECONDS = 15.0  # for an answer
RETRIES = 1


class ForbiddenError(Exception):
    """The key lacks a right."""


class UnknownKeyError(Exception):
    """Stripe does not know the key."""


class UnreadableError(Exception):
    """Stripe did not answer, or not in a way that says anything."""


def get(client: stripe.StripeClient, path: str, **params: Any) -> Json | None:
    """An object or a page of a list, or None: there is no such object. Raises the errors above."""
    try:
        body = client.raw_request("get", path, **params).body
        found: Json = msgspec.json.decode(body, type=dict[str, Any])
        return found
    except stripe.PermissionError as error:
        raise ForbiddenError(path) from error
    except stripe.AuthenticationError as error:
        raise UnknownKeyError(path) from error
    except stripe.InvalidRequestError as error:
        if error.http_status == 404:
            return None
        raise UnreadableError(f"Stripe refuses {path}: {error.user_message or error.code}") from error
    except (stripe.StripeError, msgspec.MsgspecError) as error:
        raise UnreadableError(f"Stripe cannot be read: {type(error).__name__}") from error


def items(client: stripe.StripeClient, path: str, **params: Any) -> list[Json]:
    """The first hundred of a list. Raises the errors above."""
    page = get(client, path, limit=100, **params)
    return list((page or {}).get("data", []))
