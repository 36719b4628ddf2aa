"""The client in tests: connections that fail in chosen ways, and what the books say of a user."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx
import psycopg

from pgcredits.client import Retries

MODULE = "stablediffusion"  # 50 tokens a call
QUICK = Retries(attempts=4, first=0.001, longest=2)

Fault = Callable[[int], BaseException | httpx.Response | None]


@dataclass
class Failing(httpx.HTTPTransport):
    """A connection that fails. `before` is asked for each request, `after` when the bank has answered it."""

    before: Fault = lambda number: None
    after: Fault = lambda number: None
    seen: list[httpx.Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        number = len(self.seen)
        if (fault := self.before(number)) is not None:
            return _raised(fault)
        response = super().handle_request(request)
        if (fault := self.after(number)) is not None:
            response.read()
            return _raised(fault)
        return response


def _raised(fault: BaseException | httpx.Response) -> httpx.Response:
    if isinstance(fault, BaseException):
        raise fault
    return fault


@dataclass
class Watched(httpx.AsyncHTTPTransport):
    """A connection that tells of each request: before it is sent, and when its answer is there."""

    tell: Callable[[str], Coroutine[Any, Any, None]]

    def __post_init__(self) -> None:
        super().__init__()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        function = request.url.path.rsplit("/", 1)[-1]
        await self.tell(f"{function} sent")
        response = await super().handle_async_request(request)
        await response.aread()
        await self.tell(f"{function} answered")
        return response


@dataclass(frozen=True)
class Books:
    """What the database itself says."""

    admin: psycopg.Connection[Any]

    def balance(self, user: str) -> Decimal:
        return self._one("select b.balance from api.balance as b where b.user_id = %s", user)

    def held(self, user: str) -> Decimal:
        return self._one("select b.held from api.balance as b where b.user_id = %s", user)

    def holds(self, user: str) -> list[str]:
        """The state of each hold, in the order in which they were made."""
        query = "select h.state from api.holds as h where h.user_id = %s order by h.created_at"
        return [str(state) for (state,) in self.admin.execute(query, (user,)).fetchall()]

    def expires_at(self, user: str) -> datetime:
        """Of the user's one hold."""
        query = "select h.expires_at from api.holds as h where h.user_id = %s"
        (row,) = self.admin.execute(query, (user,)).fetchall()
        moment: datetime = row[0]
        return moment

    def charges(self, user: str) -> list[Decimal]:
        query = (
            "select -e.tokens from api.entries as e where e.user_id = %s and e.kind = 'spend' order by e.seq"
        )
        return [tokens for (tokens,) in self.admin.execute(query, (user,)).fetchall()]

    def _one(self, query: Any, user: str) -> Decimal:
        row = self.admin.execute(query, (user,)).fetchone()
        assert row
        return Decimal(row[0])


def run(work: Coroutine[Any, Any, Any], seconds: float = 20) -> Any:
    """Run it in an event loop of its own."""

    async def bounded() -> Any:
        return await asyncio.wait_for(work, seconds)

    return asyncio.run(bounded())
