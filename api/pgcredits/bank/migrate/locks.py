"""Wait for locks: for a short time, repeatedly, and saying who holds them.

Everyone who comes after a statement that waits for a strong lock waits as well. So each attempt waits at most
one second for a lock. Then it undoes everything, and lets everybody pass before
the next attempt.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

import psycopg

from pgcredits.bank import admin
from pgcredits.bank.migrate.errors import LockedError, MigrationError

T = TypeVar("T")

LOCK_SECONDS = 1  # a spend that comes behind a statement that waits gives up after 2
_FIRST_PAUSE = 0.25  # seconds; doubles
_LONGEST_PAUSE = 5.0
_LOOK_EVERY = 0.2
_TRANSIENT = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)
_HOLDERS = """
    select
        b.pid, a.usename, a.application_name, a.state, date_trunc('second', a.xact_start),
        date_trunc('second', a.query_start)
    from (
        select distinct p.pid
        from unnest(%s::integer[]) as w (pid)
        cross join unnest(pg_blocking_pids(w.pid)) as p (pid)
    ) as b
    left join pg_stat_activity as a on a.pid = b.pid
"""
_PREPARED = """
    select gid, owner, date_trunc('second', prepared)
    from pg_prepared_xacts
    where database = current_database()
"""


def is_transient(error: BaseException) -> bool:
    """Did it fail because of what somebody else does at the same time?"""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _TRANSIENT):
            return True
        # Two first migrates make the bookkeeping at the same time, or two databases change the same role.
        if isinstance(cause, psycopg.errors.UniqueViolation) and cause.diag.schema_name == "pg_catalog":
            return True
        if isinstance(cause, psycopg.errors.InternalError_) and "concurrently" in str(cause):
            return True
        cause = cause.__cause__
    return False


class Watch:
    """Notes whom sessions wait for, on a connection of its own."""

    def __init__(self, url: str, pids: Sequence[int]) -> None:
        self._url, self._pids = url, pids
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.holders = ""

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join(5)

    def _look(self) -> None:
        if self._done.wait(_LOOK_EVERY):
            return
        # Migrate also when the watcher cannot connect or loses its connection.
        with (
            suppress(psycopg.Error),
            admin.connect(self._url, "pgcredits watch", autocommit=True) as connection,
        ):
            while not self._done.wait(_LOOK_EVERY):
                found = describe(connection, *self._pids)
                self.holders = found or self.holders


def describe(connection: psycopg.Connection[Any], *pids: int) -> str:
    """Who keeps these sessions waiting, if anybody does. It does not say what they execute."""
    said = []
    for holder, user, program, state, began, asked in connection.execute(_HOLDERS, [list(pids)]).fetchall():
        if holder == 0:
            prepared = connection.execute(_PREPARED.encode()).fetchall()
            said += [f"prepared transaction {gid} of {owner} since {since}" for gid, owner, since in prepared]
        else:
            since = f"transaction since {began}, last statement at {asked}" if began else "time unknown"
            said.append(
                f"pid {holder} (login {user}, {program or 'no name'}, {state or 'state unknown'}, {since})"
            )
    return "; ".join(said)


def persist(
    attempt: Callable[[], T], url: str, pids: Sequence[int], seconds: float, say: Callable[[str], None]
) -> T:
    """Try until it succeeds, or `seconds` have passed. `pids` are the sessions that an attempt works in.

    An attempt undoes what it did when it fails. Raises LockedError, and whatever else an attempt raises.
    """
    deadline, pause, told = time.monotonic() + seconds, _FIRST_PAUSE, ""
    while True:
        with Watch(url, pids) as watch:
            try:
                return attempt()
            except (MigrationError, psycopg.Error) as error:
                if not is_transient(error):
                    raise
                failure: Exception = error
        holders = watch.holders or "somebody who has let go since"
        if time.monotonic() + pause > deadline:
            raise LockedError(
                f"no lock within {seconds:.0f} s: held by {holders}. Nothing was changed; end that session, "
                f"or try again later ({str(failure).strip().splitlines()[0]})"
            ) from failure
        if holders != told:
            say(f"waiting for {holders}")
            told = holders
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
