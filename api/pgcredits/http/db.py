"""Two pools, one per login, and the one way to use them: a call is one transaction and one round trip.

The weak login can only become anon or authenticated. Only the call of a backend (a service, a spender,
support) uses the strong login. Every transaction sets role and claims for itself, also for a caller without a
token, so nothing of one request is left for the next. Calls about one subject share two connections: see
lanes.py.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from pgcredits.http.lanes import LaneFullError, Lanes, width_of_a_kind
from pgcredits.settings import Settings
from pgcredits.tokens import Caller

log = logging.getLogger("pgcredits")

Connection: TypeAlias = psycopg.AsyncConnection[tuple[Any, ...]]
Pool: TypeAlias = AsyncConnectionPool[Connection]

# The settings of the session decide how text becomes a time or an interval, and the reverse. We set them,
# whatever the login, the database or the server has set.
_IDENTIFY = (
    b"select set_config('search_path', 'api', true), set_config('timezone', 'UTC', true),"
    b" set_config('datestyle', 'ISO, YMD', true), set_config('intervalstyle', 'postgres', true),"
    b" set_config('role', %s, true),"
    b" set_config('request.jwt.claims', %s, true), set_config('request.method', %s, true),"
    b" set_config('request.path', %s, true)"
)


# The server may have another default. At a stricter level a user could change nothing.
_BEGIN = b"begin isolation level read committed"

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
    values: tuple[str | int | None, ...] = ()
    about: str | None = None  # whose wallet a service's call is about, if its arguments say so
    kind: str | None = None  # a kind of a service's calls that may take a part of the pool only


class Database:
    """The pools of one process; open them with `async with database.opened()`."""

    def __init__(self, settings: Settings) -> None:
        self._api = _pool("api", settings.api_database_url, settings)
        self._service = _pool("service", settings.service_database_url, settings)
        self._lanes = Lanes(settings.pool_timeout)
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

    async def call(
        self,
        caller: Caller,
        statement: Statement,
        *,
        read_only: bool,
        method: str = "POST",
        path: str = "",
    ) -> tuple[Any, ...] | None:
        """The first row of a statement, as the caller, after its COMMIT succeeded.

        Raises psycopg.Error when the database refused it (then nothing was done), BusyError when too many
        calls about its subject wait, UnavailableError when the database could not be reached or went away. A
        read is tried again on another connection. A write is not.
        """
        try:
            # A service acts for many users. Its own subject, if it has one, has no wallet.
            subject = caller.subject if caller.role == "authenticated" else statement.about
            kind = statement.kind if caller.backend else None  # other callers use the other pool
            async with self._lanes.through(subject), self._kinds.through(kind):
                try:
                    return await self._once(caller, statement, read_only, method, path)
                except UnavailableError as error:
                    if not (read_only and error.unsure):
                        raise
                try:
                    return await self._once(caller, statement, read_only, method, path)
                except UnavailableError as error:
                    raise UnavailableError(str(error)) from error
        except LaneFullError as error:
            raise BusyError(str(error)) from error

    async def _once(
        self,
        caller: Caller,
        statement: Statement,
        read_only: bool,
        method: str,
        path: str,
    ) -> tuple[Any, ...] | None:
        pool = self._service if caller.backend else self._api
        conn = await _take(pool)
        begin = _BEGIN + b" read only" if read_only else _BEGIN
        identity = (caller.role, caller.claims, method, path)
        try:
            with _hanging_up_after(self._answer_timeout, conn):
                return await _transaction(conn, begin, identity, statement)
        except psycopg.Error as error:
            if _broken(conn):
                raise UnavailableError(str(error), unsure=True) from error
            if conn.info.transaction_status != TransactionStatus.IDLE:
                with _hanging_up_after(self._answer_timeout, conn):
                    await conn.rollback()
            raise
        except BaseException:
            # The call was cancelled in the middle: nobody waits for what still arrives on this connection.
            await conn.close()
            raise
        finally:
            await pool.putconn(conn)


class _Pipeline(psycopg.AsyncPipeline):
    """psycopg's pipeline, without the Flush that psycopg sends after the final Sync.

    A pooler in transaction mode that has seen the transaction end takes the Flush for the beginning of the
    next one. It lends a server connection for it and waits for an answer, but PostgreSQL does not answer a
    Flush. Others then wait for that connection until this client sends something again.
    """

    def _exit_gen(self) -> PQGen[None]:
        try:
            self._enqueue_sync()
            yield from self._communicate_gen()
        finally:
            yield from self._fetch_gen(flush=False)


async def _transaction(
    conn: Connection, begin: bytes, identity: tuple[str, ...], statement: Statement
) -> tuple[Any, ...] | None:
    refusal: psycopg.Error | None = None
    conn._pipeline = _Pipeline(conn)
    try:
        async with conn.pipeline():
            try:
                # COMMIT is explicit. With the implicit one, an error at commit has no SQLSTATE, and the
                # connection is lost.
                await conn.execute(begin)
                await conn.execute(_IDENTIFY, identity)
                cursor = await conn.execute(statement.sql.encode(), statement.values)
                await conn.execute(b"commit")
            except psycopg.Error as error:
                refusal = (
                    error  # known before the end of the pipeline, where "pipeline aborted" would hide it
                )
    except psycopg.Error as error:
        raise refusal or error from None
    if refusal is not None:
        raise refusal
    return await cursor.fetchone()


def _pool(name: str, url: str, settings: Settings) -> Pool:
    return AsyncConnectionPool(
        url,
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
            "prepare_threshold": None if settings.prepare == "off" else 5,
        },
        configure=_distrust_poolers if settings.prepare == "auto" else None,
    )


@contextmanager
def _hanging_up_after(seconds: float, conn: Connection) -> Iterator[None]:
    """End a wait for a server or a pooler that does not answer, as if the other side had hung up.

    We cannot cancel the waiting task instead: psycopg would ask the server to cancel, and wait for that.
    """

    def hang_up() -> None:
        log.error("the database has not answered for %g seconds: the connection is given up", seconds)
        with socket.socket(fileno=os.dup(conn.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)

    timer = asyncio.get_running_loop().call_later(seconds, hang_up)
    try:
        yield
    finally:
        timer.cancel()


async def _distrust_poolers(conn: Connection) -> None:
    """Prepare no statements where a pooler is between us and PostgreSQL.

    A pooler that lends a server connection for a transaction also hands over what others have prepared there
    under the same names: a hold would be executed as a spend. The process id in its greeting, which differs
    from the backend's, gives a pooler away.
    """
    with _hanging_up_after(_CONNECT_SECONDS, conn):
        cursor = await conn.execute(b"select pg_backend_pid()")
        row = await cursor.fetchone()
    if row is None or row[0] != conn.info.backend_pid:
        conn.prepare_threshold = None
        log.info("a pooler is between us and PostgreSQL: no prepared statements on this connection")


async def _take(pool: Pool) -> Connection:
    """A connection that is alive. Finding that out takes no round trip. Raises UnavailableError."""
    while True:
        try:
            conn = await pool.getconn()
        except (PoolTimeout, PoolClosed, TooManyRequests) as error:
            raise UnavailableError(str(error)) from error
        if not await _hung_up(conn):
            return conn
        await pool.putconn(conn)  # the pool sees that it is closed, and replaces it


async def _hung_up(conn: Connection) -> bool:
    """Has the server closed this idle connection? Only then is there something to read on it."""
    poll = select.poll()
    poll.register(conn.fileno(), select.POLLIN | select.POLLHUP)
    if not poll.poll(0):
        return False
    try:
        with _hanging_up_after(_CONNECT_SECONDS, conn):
            await conn.execute(b"")
    except psycopg.Error:
        await conn.close()
        return True
    return False


def _broken(conn: Connection) -> bool:
    return conn.closed or conn.info.transaction_status == TransactionStatus.UNKNOWN
