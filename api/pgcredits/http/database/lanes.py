"""Lanes limit how many connections the calls about one subject take, so that the others keep the pool.

Somebody can keep a wallet locked: a user with an SQL login, or an application with a long transaction. Then
every write to this wallet waits in the database and keeps a connection. Two of them may do that at a time:
one that works, and one that is ready when it ends. The others wait here, where waiting costs nothing. Reads
wait for no lock. Those about one subject may take half of the pool, and so may those of callers without a
token: anyone could fill the pool with queries that take long.

A batch is about many users, and Stripe's events come in any order. Each of these two kinds may take at most a
third of the pool, however many wallets it waits for. So may guests, and people who sign in: anyone may cause
such calls, and they are made as a service.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

WIDTH = 2  # calls of one subject that may be on a connection
QUEUE = 200  # calls of one subject, or of one kind, that may wait here
KINDS = 3  # a kind of call may take one part in so many of a pool
READS = 2  # the reads about one subject, too


def width_of_a_kind(pool_size: int) -> int:
    """How many calls of one kind may be on a connection."""
    return max(1, pool_size // KINDS)


def width_of_reads(pool_size: int) -> int:
    """How many reads about one subject may be on a connection."""
    return max(WIDTH, pool_size // READS)


class LaneFullError(Exception):
    """The calls of this subject or kind have waited too long, or too many of them wait."""


@dataclass(slots=True)
class _Lane:
    free: int
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Lanes:
    """The lanes of one process, by subject or kind. A subject without calls has no lane."""

    def __init__(self, seconds: float, width: int = WIDTH) -> None:
        self._seconds = seconds  # the longest wait
        self._width = width
        self._lanes: dict[str, _Lane] = {}

    async def enter(self, subject: str | None) -> None:
        """Take one of the subject's places, in order of arrival. A call about nobody (None) needs no place.

        Raises LaneFullError. Otherwise `leave` has to follow.
        """
        if subject is None:
            return
        lane = self._lanes.get(subject)
        if lane is None:
            lane = self._lanes[subject] = _Lane(self._width)
        if lane.free:
            lane.free -= 1
        else:
            await self._wait(subject, lane)

    def leave(self, subject: str | None) -> None:
        """Give the place back."""
        if subject is None:
            return
        self._pass_on(subject, self._lanes[subject])

    async def _wait(self, subject: str, lane: _Lane) -> None:
        if len(lane.waiting) >= QUEUE:
            raise LaneFullError("too many calls of one subject, or of one kind, wait")
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lane.waiting.append(place)
        try:
            async with asyncio.timeout(self._seconds):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                self._pass_on(subject, lane)  # we got the place while we were giving up
            elif place in lane.waiting:  # a call that left may have taken it out already
                lane.waiting.remove(place)
            if isinstance(error, TimeoutError):
                raise LaneFullError("the calls of one subject before this one have not ended") from None
            raise

    def _pass_on(self, subject: str, lane: _Lane) -> None:
        while lane.waiting:
            place = lane.waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        lane.free += 1
        if lane.free == self._width:
            del self._lanes[subject]
