"""What the database says of the bank as a whole, for /metrics. It is asked seldom, however often we are."""

from __future__ import annotations

import asyncio
import logging
import time

import msgspec
import psycopg

from pgcredits.http.database.pools import BusyError, Database, Statement, UnavailableError
from pgcredits.http.operations import metrics
from pgcredits.tokens import SERVICE

log = logging.getLogger("pgcredits")

_KEPT = 3.0  # seconds
_SECONDS = 2.0  # for the answer
_READ = Statement("select to_json(api.operating_figures())::text")


class BankFigures:
    """The figures of one process, at most a few seconds old."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asking = asyncio.Lock()
        self._asked_at = -_KEPT

    async def note(self) -> None:
        """Ask the database, if the last answer is too old, and leave the answer in the metrics."""
        async with self._asking:
            if time.monotonic() - self._asked_at >= _KEPT:
                metrics.bank_told(await self._read())
                self._asked_at = time.monotonic()

    async def _read(self) -> dict[str, float | None] | None:
        call = self._database.call(SERVICE, _READ, read_only=True, method="GET", path="/metrics")
        try:
            row = await asyncio.wait_for(call, _SECONDS)
        except (psycopg.Error, BusyError, UnavailableError, TimeoutError) as error:
            log.warning("the figures of the bank could not be read: %s", type(error).__name__)
            return None
        return msgspec.json.decode(row[0], type=dict[str, float | None]) if row else None
