"""How the hold of a request ends: captured with what was used, or released."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from pgcredits.client.async_bank import AsyncBank
from pgcredits.client.errors import BankError, HoldClosed, InvalidCall, Unavailable
from pgcredits.client.litellm.prices import dimensions_of, fitted
from pgcredits.client.litellm.running import Running

T = TypeVar("T")
log = logging.getLogger("pgcredits.client")

_LATER = timedelta(hours=1)  # so long a capture is tried again while the bank does not answer
_LONGEST_WAIT = 60.0  # seconds


class Ending:
    """Ends holds. It knows the dimensions of prices that the bank has listed in a refusal."""

    def __init__(self, bank: AsyncBank) -> None:
        self.bank = bank
        self._dimensions: dict[str, frozenset[str]] = {}
        self._later: set[asyncio.Task[None]] = set()

    async def fit(
        self,
        module: str,
        usage: Mapping[str, int],
        send: Callable[[dict[str, int]], Awaitable[T]],
        known: frozenset[str] | None,
        ready: Callable[[frozenset[str]], None] = lambda dimensions: None,
    ) -> tuple[T, frozenset[str] | None]:
        """Send the usage as the price takes it. Returns the answer, and the dimensions of the price if known.

        The bank refuses a usage in other dimensions and lists those of the price: it is then sent again.
        `ready` looks at them first. Raises BankError, and what `ready` raises.
        """
        while True:
            if known is not None:
                ready(known)
            try:
                return await send(fitted(usage, known)), known
            except InvalidCall as error:
                dimensions = dimensions_of(error)
                if dimensions is None or dimensions == known:
                    raise
                known = self._dimensions[module] = dimensions

    def known(self, module: str) -> frozenset[str] | None:
        return self._dimensions.get(module)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it in a task of its own."""
        task = asyncio.ensure_future(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def capture(self, running: Running, usage: Mapping[str, int] | None) -> None:
        """Charge what was used. None: the provider did not say, so charge all that is held.

        The work is done, so this raises nothing. If the bank does not answer, it is asked again for an hour.
        """
        await self._close(running)
        try:
            await self._capture(running, usage)
        except Unavailable as error:
            log.warning("hold %s is not captured yet: %s", running.hold.hold_id, error)
            self.later(self._capture_later(running, usage))
        except Exception as error:
            _unpaid(running, usage, error)

    async def release(self, running: Running, reason: str | None) -> None:
        """The work was not done. A hold that cannot be released expires by itself."""
        await self._close(running)
        try:
            await self.bank.release(running.hold.hold_id, reason, user=running.user)
        except BankError as error:
            log.warning("hold %s was not released: %s; it expires by itself", running.hold.hold_id, error)

    async def _close(self, running: Running) -> None:
        """Stop extending it."""
        running.hold.keep_open()
        await running.hold.end(None)

    async def _capture(self, running: Running, usage: Mapping[str, int] | None) -> None:
        async def send(fit: Mapping[str, int] | None) -> None:
            await self.bank.capture(running.hold.hold_id, fit, key=running.key, user=running.user)

        if usage is not None:
            try:
                await self.fit(running.module, usage, send, running.dimensions)
                return
            except InvalidCall as error:
                log.error("all of hold %s is charged: usage %s: %s", running.hold.hold_id, usage, error)
        await send(None)

    async def _capture_later(self, running: Running, usage: Mapping[str, int] | None) -> None:
        """The key is that of the first attempt, so the use is charged once."""
        until = time.monotonic() + _LATER.total_seconds()
        wait = 1.0
        while True:
            await asyncio.sleep(wait)
            try:
                await self._capture(running, usage)
                return
            except Unavailable as error:
                wait = min(wait * 2, _LONGEST_WAIT)
                if time.monotonic() + wait > until:
                    _unpaid(running, usage, error)
                    return
            except Exception as error:
                _unpaid(running, usage, error)
                return


def _unpaid(running: Running, usage: Mapping[str, int] | None, error: Exception) -> None:
    if isinstance(error, HoldClosed) and error.state == "captured":
        return  # an attempt whose answer was lost has done it
    log.error(
        "work was delivered and not charged: hold %s of %s for %s, usage %s: %s",
        *(running.hold.hold_id, running.user, running.module, usage, error),
    )
