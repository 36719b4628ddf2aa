"""/balance/events: the caller's own balance, as server-sent events.

Each event is the whole row of the view `balance`, read with the rights of the caller. Its id is made of its
content. So a client that comes back with Last-Event-ID gets what it does not know yet, and nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from contextlib import suppress
from typing import Any

import msgspec
import psycopg
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.types import ASGIApp, Receive, Scope, Send

from pgcredits.http.database.pools import BusyError, Statement, UnavailableError
from pgcredits.http.errors import ApiError, refuse
from pgcredits.http.operations.live import Watch
from pgcredits.http.resources import Resources
from pgcredits.tokens import Caller, TokenError

_READ = Statement("select row_to_json(b)::text from api.balance as b limit 1")
_HEARTBEAT = 15.0  # seconds; then the token is checked again, and the balance is read in any case
_LONGEST = 3600.0  # seconds that a stream lasts
_PATIENCE = 10.0  # seconds that a client may take to accept what is sent
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"x-accel-buffering", b"no"),  # nginx would collect events before it passes them on
]


@get("/balance/events")
async def events(
    request: Request[Any, Any, Any],
    resources: NamedDependency[Resources],
) -> ASGIApp:
    """Events: `balance` at once and after each change, and `end` with a reason when the server ends it."""
    caller = await resources.identify(request)
    if caller.anonymous:
        raise refuse(401, "not_signed_in", "Sign in first.")
    if caller.role != "authenticated" or caller.subject is None:
        raise refuse(403, "not_yours", "Only a user has a balance to watch.")
    return _Stream(request, resources, caller, caller.subject)


class _Stream:
    """The answer, as an ASGI app."""

    def __init__(
        self, request: Request[Any, Any, Any], resources: Resources, caller: Caller, user_id: str
    ) -> None:
        self._request = request
        self._resources = resources
        self._caller = caller
        self._user_id = user_id
        self._last_id = request.headers.get("last-event-id", "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._resources.live.watching(self._user_id) as watch:
            first = await self._balance()  # a refusal is still an answer of its own here
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
            writing = asyncio.create_task(self._write(watch, first, send))
            leaving = asyncio.create_task(_left(receive))
            try:
                await asyncio.wait(
                    (writing, leaving), return_when=asyncio.FIRST_COMPLETED, timeout=2 * _LONGEST
                )
            finally:
                for task in (writing, leaving):
                    task.cancel()
                with suppress(asyncio.CancelledError, TimeoutError):
                    await writing

    async def _write(self, watch: Watch, first: bytes, send: Send) -> None:
        ends_at = time.monotonic() + _LONGEST
        await _send(send, b"retry: 2000\n" + self._event(first) + b"\n")
        while True:
            wait = min(_HEARTBEAT, ends_at - time.monotonic(), self._token_lasts())
            told = await watch.news(max(wait, 0) + 0.01)  # a timer may be a little early
            if reason := await self._why_it_ends(ends_at):
                break
            try:
                event = self._event(await self._balance())
            except (BusyError, UnavailableError):
                event = b""  # the database may answer the next time
            except psycopg.Error:
                reason = b"refused"
                break
            if event or not told:
                await _send(send, event or b": nothing new\n\n")
        await _send(send, b'event: end\ndata: {"reason":"%s"}\n\n' % reason, more=False)

    async def _why_it_ends(self, ends_at: float) -> bytes | None:
        if self._resources.draining.begun:
            return b"server_ends"
        if self._token_lasts() <= 0:
            return b"token_expired"
        if time.monotonic() >= ends_at:
            return b"too_long"
        try:
            self._caller = await self._resources.identify(self._request)
        except (TokenError, ApiError):
            return b"not_signed_in"
        except (psycopg.Error, BusyError, UnavailableError):
            return None
        return None

    def _token_lasts(self) -> float:
        """Seconds until the token expires."""
        expires = msgspec.json.decode(self._caller.claims).get("exp")
        return float(expires) - time.time() if expires is not None else _LONGEST

    async def _balance(self) -> bytes:
        row = await self._resources.database.call(
            self._caller, _READ, read_only=True, method="GET", path="/balance/events"
        )
        return str(row[0]).encode() if row else b"null"

    def _event(self, balance: bytes) -> bytes:
        """The event, or nothing if the client has it already."""
        event_id = hashlib.blake2b(balance, digest_size=8).hexdigest()
        if event_id == self._last_id:
            return b""
        self._last_id = event_id
        return b"event: balance\nid: %s\ndata: %s\n\n" % (event_id.encode(), balance)


async def _send(send: Send, text: bytes, *, more: bool = True) -> None:
    """Raises TimeoutError when the client does not take it."""
    async with asyncio.timeout(_PATIENCE):
        await send({"type": "http.response.body", "body": text, "more_body": more})


async def _left(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
