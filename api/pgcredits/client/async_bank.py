"""The bank, async."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self

import httpx

from pgcredits.client import calls, sql
from pgcredits.client.async_hold import AsyncHold
from pgcredits.client.calls import Call, Number, R, Usage
from pgcredits.client.extender import LONGEST
from pgcredits.client.http import AsyncHttp
from pgcredits.client.receipts import Account, Capture, Grant, Held, Quote, Refund, Release, Spend
from pgcredits.client.retries import Retries
from pgcredits.client.sql import AsyncConnection

TTL = timedelta(minutes=15)


class AsyncBank:
    """Charges users, over HTTP or in the application's own transactions.

    url, api_key: the HTTP API, and the key (or token) of a backend or of one user. A bank that is only called
    with `conn` needs neither. user: the id of the user; leave it out for a user's own token.
    role: the role that the login of `conn` takes for a call, if it does not inherit its rights.
    It belongs to one event loop. Close it at the end, or use it in an async with statement.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = 10.0,
        retries: Retries | None = None,
        role: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = (
            AsyncHttp(url, api_key, timeout, retries or Retries(), transport) if url is not None else None
        )
        self._role = role

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections to the HTTP API."""
        if self._http is not None:
            await self._http.close()

    async def spend(
        self,
        module: str,
        user: str | None = None,
        *,
        usage: Usage | None = None,
        key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        byok: bool = False,
        tags: Mapping[str, str] | None = None,
        conn: AsyncConnection | None = None,
    ) -> Spend:
        """Charge a use of a module. Without `usage` it is one call. Raises BankError.

        key: the call counts once, however often it is made with this key. One is made if none is given.
        conn: charge in the transaction of this connection, which the caller commits.
        tags: at most 8 small texts that say what the use was for, without personal data.
        """
        return await self._run(calls.spend(module, user, usage, key, metadata, byok, tags), conn)

    async def quote(
        self,
        module: str,
        user: str | None = None,
        *,
        usage: Usage | None = None,
        conn: AsyncConnection | None = None,
    ) -> Quote:
        """What a use would cost now, and whether the balance pays for it. Raises BankError."""
        return await self._run(calls.quote(module, user, usage), conn)

    async def open_account(self, user: str | None = None, *, conn: AsyncConnection | None = None) -> Account:
        """Open the account of a user, unless there is one. Raises BankError."""
        return await self._run(calls.open_account(user), conn)

    async def grant(
        self,
        user: str,
        tokens: Number,
        *,
        reason: str = "grant",
        package: str | None = None,
        expires_at: datetime | None = None,
        priority: int | None = None,
        scope: str | None = None,
        key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        conn: AsyncConnection | None = None,
    ) -> Grant:
        """Grant tokens, as a lot. Only a service may; a spender may not. Raises BankError."""
        call = calls.grant(user, tokens, reason, package, expires_at, priority, scope, key, metadata)
        return await self._run(call, conn)

    async def refund_usage(
        self,
        entry_id: str,
        tokens: Number | None = None,
        *,
        reason: str | None = None,
        key: str | None = None,
        conn: AsyncConnection | None = None,
    ) -> Refund:
        """Give back a charge: `tokens` of it, or all that is left. Only a service may. Raises BankError.

        entry_id: that of the receipt of a spend or a capture.
        """
        return await self._run(calls.refund(entry_id, tokens, reason, key), conn)

    def hold(
        self,
        module: str,
        user: str | None = None,
        *,
        usage: Usage | None = None,
        ttl: timedelta | float = TTL,
        longest: timedelta = LONGEST,
        over: str = "debt",
        key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        conn: AsyncConnection | None = None,
    ) -> AsyncHold:
        """A hold on the worst case, `usage`, for an async with statement.

        It is captured when the block succeeds, with what `hold.used(…)` and `hold.delivered(…)` said.
        It is released when the block raises, and extended while it runs, for at most `longest`.
        over: debt, available or error, as capture_hold takes it.
        key: a job that is started again with its key finds the hold of the first start. If that job was
        finished, it raises HoldClosed.
        conn: the hold, its work and its end are parts of that transaction. It is then not extended.
        tags: as `spend` takes them. Each charge of the hold gets them.
        """
        call = calls.hold(module, user, usage, ttl, key, metadata, tags)

        async def run(one: Call[Any]) -> Any:
            return await self._run(one, conn)

        return AsyncHold(run, call, ttl, longest, conn is None, over, user)

    async def capture(
        self,
        hold_id: str,
        usage: Usage | None = None,
        *,
        final: bool = True,
        over: str = "debt",
        key: str | None = None,
        user: str | None = None,
        conn: AsyncConnection | None = None,
    ) -> Capture:
        """Charge a hold by its id. Without `usage`, all that is held. Raises BankError."""
        return await self._run(calls.capture(hold_id, usage, final, over, key, user), conn)

    async def release(
        self,
        hold_id: str,
        reason: str | None = None,
        *,
        key: str | None = None,
        user: str | None = None,
        conn: AsyncConnection | None = None,
    ) -> Release:
        """Release a hold. A reason that begins with failed counts as a failure. Raises BankError."""
        return await self._run(calls.release(hold_id, reason, key, user), conn)

    async def extend(
        self,
        hold_id: str,
        ttl: timedelta | float = TTL,
        *,
        user: str | None = None,
        conn: AsyncConnection | None = None,
    ) -> Held:
        """Let an open hold last for `ttl` from now. Raises BankError."""
        return await self._run(calls.extend(hold_id, ttl, user), conn)

    async def _run(self, call: Call[R], conn: AsyncConnection | None) -> R:
        if conn is not None:
            return await sql.run_async(conn, call, self._role)
        if self._http is None:
            raise ValueError("this bank has no URL: give it one, or call it with conn=")
        return await self._http.run(call)
