"""A hold around a piece of work, async."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import anyio.lowlevel

from pgcredits.client import calls
from pgcredits.client.calls import Call, Usage
from pgcredits.client.errors import BankError
from pgcredits.client.extender import AsyncExtender, Schedule, failed
from pgcredits.client.meter import Meter, unended
from pgcredits.client.receipts import Capture, Held, Release
from pgcredits.client.to_the_end import to_the_end


class AsyncHold(Meter):
    """`async with bank.hold(...) as hold:` captures when the block succeeds, and releases when it raises.

    A cancellation releases, too. The hold has ended before the cancellation goes on.
    """

    def __init__(
        self,
        run: Callable[[Call[Any]], Awaitable[Any]],
        call: Call[Held],
        ttl: timedelta | float,
        longest: timedelta,
        extends: bool,
        over: str,
        user: str | None,
    ) -> None:
        super().__init__(over, user)
        self._run = run
        self._call = call
        self._ttl = ttl
        self._longest = longest
        self._extends = extends
        self._extender: AsyncExtender | None = None
        self.captured: Capture | None = None  # the last charge

    async def __aenter__(self) -> Self:
        try:
            await to_the_end(self._make())
            await anyio.lowlevel.checkpoint()  # a scope that was cancelled meanwhile: no work begins
        except asyncio.CancelledError:
            await to_the_end(self._abandon())
            raise
        if self._extends:
            self._watch()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.end(error)

    async def end(self, error: BaseException | None, *, hung_up: bool = False) -> None:
        """End the hold: with `error`, or successfully, or because the client has hung up on a stream.

        Raises BankError if a capture fails. A release that fails is logged: the hold expires by itself.
        """
        await to_the_end(self._finish(error, hung_up))

    async def capture(self, usage: Usage, key: str | None = None) -> Capture:
        """Charge a part now and keep the rest held. Raises BankError.

        A `key` of your own makes a repeat of the part harmless, also in another process.
        """
        return await to_the_end(self._capture_part(usage, key))

    async def release(self, reason: str | None = None) -> Release:
        """Release the hold now. The parts that were captured stay charged. Raises BankError."""
        receipt: Release = await self._run(self._release(reason))
        self._ended = True
        await self._unwatch()
        return receipt

    async def extend(self, ttl: timedelta | float | None = None) -> Held:
        """Let the hold last for `ttl` from now. Raises BankError."""
        call = calls.extend(self.hold_id, self._ttl if ttl is None else ttl, self._user)
        held: Held = await self._run(call)
        return held

    async def _make(self) -> None:
        self._begin(await self._run(self._call))

    async def _capture_part(self, usage: Usage, key: str | None) -> Capture:
        receipt: Capture = await self._run(self._part(usage, key))
        self._captured()
        self.captured = receipt
        return receipt

    async def _abandon(self) -> None:
        """The task was cancelled while the hold was made."""
        if self._held is not None:
            await self._finish(asyncio.CancelledError(), False)

    async def _finish(self, error: BaseException | None, hung_up: bool) -> None:
        await self._unwatch()
        call = self._end(error, hung_up=hung_up)
        if call is None:
            return
        try:
            receipt = await self._run(call)
        except Exception as failure:
            if error is None:
                raise
            unended(self.hold_id, failure)
            return
        if isinstance(receipt, Capture):
            self.captured = receipt

    def _watch(self) -> None:
        schedule = Schedule(self._ttl, self._longest, self.receipt.expires_at)

        async def again() -> float | None:
            if self.ended:
                return None
            try:
                return schedule.wait if schedule.extended(await self.extend()) else None
            except BankError as error:
                failed(self.hold_id, error)
                return None

        if schedule.goes_on():
            self._extender = AsyncExtender(schedule.wait, again)

    async def _unwatch(self) -> None:
        if self._extender is not None:
            await self._extender.stop()
            self._extender = None
