"""No cache may keep an answer, unless the route allows it.

Balances and tokens are for one caller, and an error may be gone a moment later. So this rule holds for every
answer, whatever makes it. A route that serves the same to everybody sets its own Cache-Control.
"""

from __future__ import annotations

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

PUBLIC = {"Cache-Control": "public, max-age=300"}  # for answers that are the same for everybody


class Uncached:
    """The app. Its answers say `Cache-Control: no-store` unless they have a Cache-Control of their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders.from_message(message).setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, sent if scope["type"] == ScopeType.HTTP else send)
