"""Two pools, one per login, and the one way to use them: a call is one transaction and one round trip.

The weak login can only become anon or authenticated. Only the call of a backend (a service, a spender,
support) uses the strong login. Every transaction sets role and claims for itself, also for a caller without a
token, so nothing of one request is left for the next. Calls about one subject share a few connections: see
lanes.py. How a transaction travels: connection.py.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from pgcredits.http.database.connection import Connection, LostError, Row, Value
from pgcredits.http.database.lanes import LaneFullError, Lanes, width_of_a_kind, width_of_reads
from pgcredits.http.operations import logs
from pgcredits.settings import Prepare, Settings
from pgcredits.tokens import Caller

log = logging.getLogger("pgcredits")

Pool: TypeAlias = AsyncConnectionPool[Connection]

# The settings of the session decide how text becomes a time or an interval, and the reverse. We set them,
# whatever the login, the database or the server has set.
# One number comes back, whatever was set: nine texts would cost both sides a few microseconds.
_IDENTIFY = (
    "select num_nonnulls(set_config('search_path', 'api', true), set_config('timezone', 'UTC', true),"
    " set_config('datestyle', 'ISO, YMD', true), set_config('intervalstyle', 'postgres', true),"
    " set_config('role', %s, true),"
    " set_config('request.jwt.claims', %s, true), set_config('request.method', %s, true),"
    " set_config('request.path', %s, true), set_config('application_name', %s, true))"
)


# The server may have another default. At a stricter level a user could change nothing.
_BEGIN = "begin isolation level read committed"
# COMMIT is explicit. With the implicit one, an error at commit has no SQLSTATE.
_COMMIT = ("commit", ())

_NOBODY = ""  # whom the calls without a token are about: no user has this id

_CONNECT_SECONDS = 5  # for connecting, and for the first answer


class BusyError(Exception):
    """Too many calls about one subject are waiting. Nothing was done."""


class UnavailableError(Exception):
    """There is no connection, or it broke. `unsure`: a write was sent, and may or may not be committed."""

    def __init__(self, reason: str, *, unsure: bool = False) -> None:
        super().__init__(reason)
        self.unsure = unsure


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with %s placeholders. Text is sent without a type, so that PostgreSQL converts and checks it."""

    sql: str
    values: tuple[Value, ...] = ()
    about: str | None = None  # whose wallet a service's call is about, if its arguments say so
    kind: str | None = None  # a kind of a service's calls that may take a part of the pool only


class Database:
    """The pools of one process; open them with `async with database.opened()`."""

    def __init__(self, settings: Settings) -> None:
        self._api = _pool("api", settings.api_database_url, settings)
        self._service = _pool("service", settings.service_database_url, settings)
        self._writes = Lanes(settings.pool_timeout)
        self._reads = Lanes(settings.pool_timeout, width_of_reads(settings.pool_size))
        self._kinds = Lanes(settings.pool_timeout, width_of_a_kind(settings.pool_size))
        self._answer_timeout = settings.answer_timeout

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Keep the pools open. Do not wait for the database: it may start after us."""
        try:
            await self._api.open(wait=False)
            await self._service.open(wait=False)
            yield
        finally:
            await self._api.close()
            await self._service.close()

    def pool_stats(self) -> dict[str, dict[str, int]]:
        """What each pool says of itself, by its name."""
        return {pool.name: pool.get_stats() for pool in (self._api, self._service)}

    async def call(
        self,
        caller: Caller,
        statement: Statement,
        *,
        read_only: bool,
        method: str = "POST",
        path: str = "",
        ours: bool = False,
    ) -> Row | None:
        """The first row of a statement, as the caller, after its COMMIT succeeded.

        `ours`: the program asks, and no caller. Such a question waits in no lane.

        Raises psycopg.Error when the database refused it (then nothing was done), BusyError when too many
        calls about its subject wait, UnavailableError when the database could not be reached or went away. A
        read is tried again on another connection. A write is not.
        """
        subject = None if ours else _subject(caller, statement)
        kind = statement.kind if caller.backend else None  # other callers use the other pool
        lanes = self._reads if read_only else self._writes
        try:
            await lanes.enter(subject)
            try:
                await self._kinds.enter(kind)
                try:
                    return await self._answer(caller, statement, read_only, method, path)
                finally:
                    self._kinds.leave(kind)
            finally:
                lanes.leave(subject)
        except LaneFullError as error:
            raise BusyError(str(error)) from error

    async def _answer(
        self, caller: Caller, statement: Statement, read_only: bool, method: str, path: str
    ) -> Row | None:
        """Ask once, and a read once more when nobody knows what became of it."""
        try:
            return await self._once(caller, statement, read_only, method, path)
        except UnavailableError as error:
            if not (read_only and error.unsure):
                raise
        try:
            return await self._once(caller, statement, read_only, method, path)
        except UnavailableError as error:
            raise UnavailableError(str(error)) from error

    async def _once(
        self, caller: Caller, statement: Statement, read_only: bool, method: str, path: str
    ) -> Row | None:
        pool = self._service if caller.backend else self._api
        conn = await _take(pool)
        try:
            results = await conn.transact(
                (
                    (_BEGIN + " read only" if read_only else _BEGIN, ()),
                    (_IDENTIFY, (caller.role, caller.claims, method, path, logs.named_for_database())),
                    (statement.sql, statement.values),
                    _COMMIT,
                ),
                self._answer_timeout,
            )
            return conn.row(results[2])
        except LostError as error:
            raise UnavailableError(str(error), unsure=True) from error
        except psycopg.Error as error:
            await _end(conn, self._answer_timeout, error)
            raise
        finally:
            await pool.putconn(conn)


def _subject(caller: Caller, statement: Statement) -> str | None:
    """Whose lane a call takes. A caller without a token may name anybody, and takes the lane of nobody."""
    if caller.anonymous:
        return _NOBODY
    # A service acts for many users. Its own subject, if it has one, has no wallet.
    return statement.about if caller.backend else caller.subject


class _Stack(deque[Connection]):
    """Connections that are free. The one that came back last goes first."""

    popleft = deque.pop


class _Pool(AsyncConnectionPool[Connection]):
    """A pool that takes the connection that came back last.

    psycopg's own takes turns, so each call would meet the server process that has rested longest. PostgreSQL
    then needs half as much processor again for a hold and its capture.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._pool = _Stack(self._pool)


def _pool(name: str, url: str, settings: Settings) -> Pool:
    return _Pool(
        url,
        connection_class=Connection,
        name=name,
        open=False,
        min_size=min(2, settings.pool_size),
        max_size=settings.pool_size,
        max_waiting=50 * settings.pool_size,
        timeout=settings.pool_timeout,
        # The pauses between attempts grow. After the pool has given up, the next request starts anew.
        reconnect_timeout=settings.pool_timeout,
        kwargs={
            "autocommit": True,
            "connect_timeout": _CONNECT_SECONDS,
            "application_name": "pgcredits",
            "client_encoding": "UTF8",
            "prepare_threshold": None,
        },
        configure=_configured(settings.prepare),
    )


def _configured(prepare: Prepare) -> Callable[[Connection], Awaitable[None]]:
    """What the pool does with a new connection."""

    async def configure(conn: Connection) -> None:
        conn.prepares = prepare == "on" or (prepare == "auto" and not await _pooled(conn))
        conn.start()

    return configure


async def _pooled(conn: Connection) -> bool:
    """Is a pooler between us and PostgreSQL? Then no statements are prepared on this connection.

    A pooler that lends a server connection for a transaction also hands over what others have prepared there
    under the same names: a hold would be executed as a spend. The process id in its greeting, which differs
    from the backend's, gives a pooler away.
    """
    hang_up = asyncio.get_running_loop().call_later(_CONNECT_SECONDS, _hang_up, conn)
    try:
        cursor = await conn.execute(b"select pg_backend_pid()")
        row = await cursor.fetchone()
    finally:
        hang_up.cancel()
    if row is not None and row[0] == conn.info.backend_pid:
        return False
    log.info("a pooler is between us and PostgreSQL: no prepared statements on this connection")
    return True


def _hang_up(conn: Connection) -> None:
    """End psycopg's wait for a server that does not answer, as if the other side had hung up."""
    with socket.socket(fileno=os.dup(conn.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


async def _take(pool: Pool) -> Connection:
    """A connection that is alive. Finding that out takes no round trip. Raises UnavailableError."""
    while True:
        try:
            conn = await pool.getconn()
        except (PoolTimeout, PoolClosed, TooManyRequests) as error:
            raise UnavailableError(str(error)) from error
        if conn.alive():
            return conn
        await pool.putconn(conn)  # the pool sees that it is closed, and replaces it


async def _end(conn: Connection, seconds: float, refused: psycopg.Error) -> None:
    """End the transaction of a refused call. The refusal is what the client hears, whatever happens here."""
    try:
        await conn.roll_back(seconds)
    except LostError:
        log.warning("the connection broke after a call was refused (SQLSTATE %s)", refused.sqlstate)
