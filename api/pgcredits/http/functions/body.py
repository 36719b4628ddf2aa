"""The body of a request."""

from __future__ import annotations

from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.types import Receive

from pgcredits.http.errors import ApiError

LARGEST = 1_000_000  # bytes


async def read(receive: Receive) -> bytes:
    """The whole body. Raises RequestEntityTooLarge beyond LARGEST bytes, and ApiError 400 PGRST102."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ApiError(400, "PGRST102", "The client went away in the middle of the body.")
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST:
            raise RequestEntityTooLarge
        if not message.get("more_body", False):
            return b"".join((*parts, part)) if parts else part
        parts.append(part)
