"""Holds of work that takes longer than their ttl are extended while it runs."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from pgcredits.client.errors import BankError
from pgcredits.client.receipts import Held

log = logging.getLogger("pgcredits.client")

_SHARE = 2 / 3  # of the ttl, after which a hold is extended
_LONGEST_SLEEP = 60.0  # seconds
LONGEST = timedelta(hours=24)  # so long a hold is extended, unless the application says otherwise


class Schedule:
    """When a hold is extended next. It ends at its bound, and where the bank gives no more time."""

    def __init__(self, ttl: timedelta | float, longest: timedelta, expires_at: datetime) -> None:
        seconds = ttl.total_seconds() if isinstance(ttl, timedelta) else float(ttl)
        self.wait = seconds * _SHARE
        self._until = time.monotonic() + longest.total_seconds()
        self._expires_at = expires_at

    def goes_on(self) -> bool:
        """Whether the next extension is within the bound."""
        return time.monotonic() + self.wait < self._until

    def extended(self, held: Held) -> bool:
        """Note an extension. False if there is no other."""
        gained = held.expires_at > self._expires_at
        self._expires_at = held.expires_at
        return gained and self.goes_on()


def failed(hold_id: str, error: BankError) -> None:
    """The work goes on. Its capture is then late, which the bank allows for 24 hours."""
    log.warning("hold %s was not extended: %s", hold_id, error.slug or error)


class Extender:
    """One thread for all holds of a bank. It runs only while there are holds."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Callable[[], float | None]]] = []
        self._numbers = itertools.count()
        self._gone: set[int] = set()
        self._thread: threading.Thread | None = None

    def add(self, wait: float, work: Callable[[], float | None]) -> int:
        """Call `work` after so many seconds, and again as often as it returns a number of seconds."""
        with self._changed:
            number = next(self._numbers)
            heapq.heappush(self._due, (time.monotonic() + wait, number, work))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pgcredits-extender", daemon=True)
                self._thread.start()
            self._changed.notify()
            return number

    def remove(self, number: int) -> None:
        with self._changed:
            before = len(self._due)
            self._due = [one for one in self._due if one[1] != number]
            heapq.heapify(self._due)
            if len(self._due) == before:
                self._gone.add(number)  # it is being called at this moment
            self._changed.notify()

    def _next(self) -> tuple[int, Callable[[], float | None]] | None:
        """The work that is due. None when there are no holds any more: the thread ends."""
        with self._changed:
            while self._due:
                wait = self._due[0][0] - time.monotonic()
                if wait <= 0:
                    _, number, work = heapq.heappop(self._due)
                    return number, work
                self._changed.wait(min(wait, _LONGEST_SLEEP))
            self._thread = None
            self._gone.clear()
            return None

    def _run(self) -> None:
        while (found := self._next()) is not None:
            number, work = found
            try:
                again = work()
            except Exception:  # the thread goes on for the other holds
                log.exception("a hold was not extended")
                again = None
            with self._changed:
                if again is not None and number not in self._gone:
                    heapq.heappush(self._due, (time.monotonic() + again, number, work))
                self._gone.discard(number)


class AsyncExtender:
    """The task that extends one hold. It begins when two thirds of the ttl are over, not sooner."""

    def __init__(self, wait: float, extend: Callable[[], Awaitable[float | None]]) -> None:
        self._extend = extend
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(wait, self._begin)

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        again = await self._extend()
        while again is not None:
            await asyncio.sleep(again)
            again = await self._extend()

    async def stop(self) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=_LONGEST_SLEEP)
