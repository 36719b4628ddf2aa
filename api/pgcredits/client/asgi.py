"""Holds of HTTP requests, for every framework that speaks ASGI.

A request opens its holds while it is served. They end with the answer: captured before the last part of a
good answer is sent, released if the endpoint raises or answers with an error (a status from 400 on).
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from decimal import Decimal
from typing import Any

from pgcredits.client.async_hold import AsyncHold
from pgcredits.client.errors import BankError

log = logging.getLogger("pgcredits.client")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_HOLDS = "pgcredits.client"
# What the caller of the application may see of a refusal. The rest is a fault of the application.
TOLD = (402, 409, 423, 429, 503)


class AnsweredWithError(Exception):
    """The endpoint answered with an error, so its work has failed."""


class Charges:
    """The middleware that ends the holds of each request: put it around the whole application."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _HOLDS in scope:
            await self.app(scope, receive, send)
            return
        exchange = Exchange(receive, send)
        scope[_HOLDS] = exchange
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except BankError as error:
            await exchange.end(error)
            if exchange.started or error.status not in TOLD:
                raise
            await _refuse(error, send)
        except BaseException as error:
            await exchange.end(error)
            raise
        else:
            await exchange.end(None)


class Exchange:
    """One request and its answer."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._holds: list[AsyncHold] = []
        self._start: Message | None = None  # kept back until the first part of the body
        self._left = False  # whether the client has gone
        self.started = False

    async def hold(self, hold: AsyncHold) -> AsyncHold:
        """Begin a hold that ends with the answer. Raises BankError."""
        await hold.__aenter__()
        self._holds.append(hold)
        return hold

    async def receive(self) -> Message:
        message = await self._receive()
        self._left = self._left or message["type"] == "http.disconnect"
        return message

    async def send(self, message: Message) -> None:
        if not self._holds:
            self.started = True
            await self._send(message)
        elif message["type"] == "http.response.start":
            self._start = message
        else:
            await self._send_body(message)

    async def _send_body(self, message: Message) -> None:
        """Capture before the last part goes out. An answer in one part is not sent if that fails."""
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if self._start is not None:
            status = self._start["status"]
            if status >= 400:
                await self._finish(AnsweredWithError(str(status)))
            elif last:
                await self._finish(None)
            start, self._start = self._start, None
            self.started = True
            await self._pass_on(start)
        elif last:
            try:
                await self._finish(None)
            except BankError as error:
                log.error("a stream was delivered but not charged: %s", error)
        await self._pass_on(message)

    async def _pass_on(self, message: Message) -> None:
        try:
            await self._send(message)
        except OSError:
            self._left = True
            raise

    async def end(self, error: BaseException | None) -> None:
        """The application has returned or raised: end what is still held."""
        streaming = self.started
        hung_up = streaming and (self._left or error is None or isinstance(error, asyncio.CancelledError))
        if error is None and not streaming:
            error = AnsweredWithError("no answer")
        try:
            await self._finish(error, hung_up=hung_up)
        except BankError as failure:
            log.error("a stream was delivered in part but not charged: %s", failure)

    async def _finish(self, error: BaseException | None, *, hung_up: bool = False) -> None:
        holds, self._holds = self._holds, []
        while holds:
            hold = holds.pop()
            try:
                await hold.end(error, hung_up=hung_up)
            except BaseException as failure:
                for other in holds:  # they do not wait for their ttl
                    await other.end(failure)
                raise


def exchange_of(scope: Scope) -> Exchange:
    """Raises RuntimeError if the middleware is missing, before anything is held."""
    found = scope.get(_HOLDS)
    if not isinstance(found, Exchange):
        raise RuntimeError("the middleware pgcredits.client.asgi.Charges is missing")
    return found


def body_of(error: BankError) -> dict[str, Any]:
    """The body of a refusal: its slug, its message and its facts."""
    facts = {name: _plain(value) for name, value in error.facts.items()}
    return {**facts, "error": error.slug, "message": error.message}


def headers_of(error: BankError) -> dict[str, str]:
    return {} if error.retry_after is None else {"Retry-After": str(round(error.retry_after))}


def _plain(value: Any) -> Any:
    """Numbers as JSON has them."""
    return float(value) if isinstance(value, Decimal) else value


async def _refuse(error: BankError, send: Send) -> None:
    headers = {"Content-Type": "application/json", **headers_of(error)}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": raw})
    await send({"type": "http.response.body", "body": json.dumps(body_of(error)).encode()})
