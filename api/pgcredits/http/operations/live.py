"""Live balances: which accounts somebody watches, and whether anything has happened to them.

One task of the process asks the database about all watched accounts at once, with one statement an interval,
and only while somebody watches. Nothing is written for it, and a spend does not know of it: see
docs/decisions/live-balance.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import msgspec
import psycopg

from pgcredits.http.database.pools import BusyError, Database, Statement, UnavailableError
from pgcredits.http.errors import refuse
from pgcredits.http.operations import metrics
from pgcredits.http.operations.draining import Draining
from pgcredits.tokens import SERVICE

log = logging.getLogger("pgcredits")

_INTERVAL = 1.0  # seconds between two looks
_LONGEST_PAUSE = 10.0  # seconds, while the database is away
_PER_USER = 5  # streams of one user, in one process
_SECONDS = 5.0  # for the answer
# LIMIT makes it a look-up by key for each user. A join might read all accounts.
_VERSIONS = """
    select coalesce(json_object_agg(u.user_id, w.version), '{}')::text
    from jsonb_array_elements_text(%s::jsonb) as u (user_id)
    cross join lateral (
        select v.version from api.balance_versions as v where v.user_id = u.user_id limit 1
    ) as w
"""


class Watch:
    """One stream. It sleeps until something has happened to its account, or until the server ends."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def tell(self) -> None:
        self._news.set()

    async def news(self, seconds: float) -> bool:
        """Wait at most so long for news. Several news that came meanwhile are one."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True


class LiveBalances:
    """The watched accounts of one process."""

    def __init__(self, database: Database, draining: Draining, most: int) -> None:
        self._database = database
        self._draining = draining
        self._most = most
        self._watches: dict[str, set[Watch]] = {}
        self._versions: dict[str, str] = {}
        self._open = 0
        draining.listeners.append(self._tell_all)

    @contextmanager
    def watching(self, user_id: str) -> Iterator[Watch]:
        """Watch an account for as long as the block lasts. Raises ApiError when too many do."""
        watches = self._watches.get(user_id, set())
        if len(watches) >= _PER_USER:
            text = f"This user has {_PER_USER} streams already. Close one."
            raise refuse(429, "too_many_streams", text, limit=_PER_USER)
        if self._open >= self._most or self._draining.begun:
            raise refuse(503, "busy", "This server has as many streams as it can have. Try again.")
        watch = Watch()
        self._watches[user_id] = watches | {watch}
        self._count(1)
        try:
            yield watch
        finally:
            self._count(-1)
            left = self._watches[user_id] - {watch}
            if left:
                self._watches[user_id] = left
            else:
                del self._watches[user_id]
                self._versions.pop(user_id, None)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Look after the watched accounts, in a task of its own."""
        task = asyncio.create_task(self._look_again_and_again())
        try:
            yield
        finally:
            task.cancel()

    async def _look_again_and_again(self) -> None:
        pause = _INTERVAL
        while True:
            await asyncio.sleep(pause)
            try:
                if self._watches:
                    await self._look()
                pause = _INTERVAL
            except (psycopg.Error, BusyError, UnavailableError, TimeoutError) as error:
                if pause == _INTERVAL:
                    log.warning("watched balances could not be read: %s", type(error).__name__)
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _look(self) -> None:
        asked = msgspec.json.encode(list(self._watches)).decode()
        call = self._database.call(SERVICE, Statement(_VERSIONS, (asked,)), read_only=True, method="GET")
        row = await asyncio.wait_for(call, _SECONDS)
        found = msgspec.json.decode(row[0], type=dict[str, str]) if row else {}
        for user_id, version in found.items():
            watches = self._watches.get(user_id, ())
            if watches and self._versions.get(user_id) != version:
                self._versions[user_id] = version
                for watch in watches:
                    watch.tell()

    def _tell_all(self) -> None:
        for watches in self._watches.values():
            for watch in watches:
                watch.tell()

    def _count(self, change: int) -> None:
        self._open += change
        metrics.streams_open(self._open)
