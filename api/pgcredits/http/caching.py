"""Nothing that we answer is kept by a cache, unless the route says that it may be.

Balances and tokens are for one caller, and an error may be gone a moment later. So this is the rule for every
answer, whoever makes it, and a route that serves the same to everybody names its own Cache-Control.
"""

from __future__ import annotations

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

PUBLIC = {"Cache-Control": "public, max-age=300"}  # of what is the same for everybody


class Uncached:
    """The app, whose answers say `Cache-Control: no-store` where they say nothing else about it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders.from_message(message).setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, sent if scope["type"] == ScopeType.HTTP else send)
