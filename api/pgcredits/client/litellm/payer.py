"""Which user of the bank pays for a request."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pgcredits.client.litellm.refused import Refused

# Takes the UserAPIKeyAuth of the request's key and the request, and returns the id of the user.
Payer = Callable[[Any, Mapping[str, Any]], str | Awaitable[str | None] | None]


def _of_key(name: str) -> Payer:
    """What the administrator of the proxy gave the key. Its holder cannot change it."""

    def payer(key: Any, data: Mapping[str, Any]) -> str | None:
        value = getattr(key, name, None)
        return value if isinstance(value, str) else None

    return payer


def _of_metadata(key: Any, data: Mapping[str, Any]) -> str | None:
    value = (getattr(key, "metadata", None) or {}).get("pgcredits_user")
    return value if isinstance(value, str) else None


PAYERS: dict[str, Payer] = {
    "user_id": _of_key("user_id"),
    "team_id": _of_key("team_id"),
    "metadata": _of_metadata,
    "end_user": _of_key("end_user_id"),  # the holder of the key says who it is
}


async def payer_of(payer: Payer, key: Any, data: Mapping[str, Any]) -> str:
    """Raises Refused if nobody pays."""
    user = payer(key, data)
    if inspect.isawaitable(user):
        user = await user
    if not user:
        raise Refused("no_payer", "this key of the proxy names no user who pays", 403)
    return user
