"""A bank that does not answer some calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Faults:
    """Answers the next calls of a function of the bank with 503, and does not pass them on."""

    app: Any
    function: str = ""
    times: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and self.times and scope["path"].endswith(f"/{self.function}"):
            self.times -= 1
            await send({"type": "http.response.start", "status": 503, "headers": [(b"retry-after", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        await self.app(scope, receive, send)
