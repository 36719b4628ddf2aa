"""Can the program work with its database? To say so, the database compares all its functions and columns.

Anyone may ask, so the database is asked at most once a second, however often we are.
"""

from __future__ import annotations

import asyncio
import time

import psycopg

from pgcredits.bank.migrate.files import newest_migration
from pgcredits.http.database.pools import Database, Statement
from pgcredits.http.database.together import Together
from pgcredits.http.errors import refuse
from pgcredits.tokens import ANONYMOUS, SERVICE

KEPT = 1.0  # seconds that a good answer counts
_SECONDS = 2.0
_MIGRATED = Statement(
    "select exists (select from pg_proc as p where p.proname = 'consume_tokens'"
    " and p.pronamespace = (select n.oid from pg_namespace as n where n.nspname = 'api'))"
)
_NEWEST = newest_migration()
_NOT_THERE = (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege)
_RELEASE = Statement("select r.migration, r.whole from api.release as r")


class Readiness:
    """What one process knows of its database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looking = Together(self._look)
        self._newer = False
        self._good_until = 0.0

    async def newer(self) -> bool:
        """Is the database newer than the program? Raises ApiError 503 if they cannot work together."""
        return self._newer if time.monotonic() < self._good_until else await self._looking.answer()

    async def _look(self) -> bool:
        began = time.monotonic()
        calls = (
            self._database.call(
                caller, question, read_only=True, method="GET", path="/health/ready", ours=True
            )
            for caller, question in ((ANONYMOUS, _MIGRATED), (SERVICE, _RELEASE))
        )
        try:
            migrated, release = await asyncio.wait_for(asyncio.gather(*calls), _SECONDS)
        except _NOT_THERE:
            migrated, release = None, None
        except Exception as error:
            raise refuse(503, "unavailable", "The database cannot be reached.") from error
        if migrated is None or not migrated[0] or release is None:
            raise refuse(503, "unavailable", "The database is not migrated: run `pgcredits migrate`.")
        migration, whole = release
        if migration < _NEWEST:
            raise refuse(
                503,
                "unavailable",
                f"The database is older than this program: it is at {migration}, and {_NEWEST} is needed. "
                "Run `pgcredits migrate`.",
            )
        if not whole:
            raise refuse(
                503,
                "unavailable",
                "Functions and tables of the database do not belong together: something was changed after "
                f"{migration}, and not by `pgcredits migrate`. Run it; `pgcredits audit` says what was "
                "changed.",
            )
        self._newer = migration > _NEWEST
        self._good_until = began + KEPT
        return self._newer
