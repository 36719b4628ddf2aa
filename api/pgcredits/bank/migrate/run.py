"""Bring a database up to date: pending migrations and the whole of sql/, in one transaction.

All of it is applied or nothing, so functions never meet tables that they were not made for. Another migrate
at the same time waits for a table that only its owner can lock. When nothing has changed since the last time,
migrate does nothing and locks nothing. A private function that a release no longer makes stays until no call
that began before can look for it: see retired.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from yoyo.migrations import Migration

from pgcredits.bank import admin, strangers
from pgcredits.bank.migrate import locks, marks, release, retired, roles
from pgcredits.bank.migrate.drops import Function
from pgcredits.bank.migrate.errors import LockedError
from pgcredits.bank.migrate.files import MIGRATIONS, OWNER, SQL, digests, newest_migration
from pgcredits.bank.migrate.reload import Reload

PURPOSE = "pgcredits migrate"
WAIT_SECONDS = 60.0
_HOURS = 4 * 3600  # for one statement, since a migration may rewrite a ledger
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How to migrate. `harden`: the database is the bank's own, so PUBLIC loses CONNECT and TEMP."""

    harden: bool = False
    force: bool = False  # also when nothing has changed
    wait_seconds: float = WAIT_SECONDS  # for locks, in all
    migrations: Path = MIGRATIONS
    sql: Path = SQL


@dataclass(slots=True)
class Outcome:
    """What was done, or would be done."""

    applied: list[str] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)  # migrations that cannot be in a transaction
    dropped: list[str] = field(default_factory=list)
    remade: set[str] = field(default_factory=set)  # of these, what was made again in another form
    changed_files: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    hardens: bool = False
    up_to_date: bool = False


class _Undo(Exception):
    """Ends the transaction of a plan."""


def migrate(
    url: str,
    migrations: Path = MIGRATIONS,
    sql: Path = SQL,
    say: Say = lambda text: None,
    options: Options | None = None,
) -> list[str]:
    """Apply what is pending and make everything of sql/. Returns the ids of the migrations applied now.

    Safe from several processes at once and after a kill at any moment. `url` is a direct connection (no
    transaction pooling) of a superuser, or of the database's owner with CREATEROLE. Raises MigrationError
    (LockedError when somebody kept a lock) and psycopg.OperationalError.
    """
    chosen = options or Options(migrations=migrations, sql=sql)
    return _Run(url, chosen, say).run().applied


def run(url: str, options: Options | None = None, say: Say = lambda text: None) -> Outcome:
    """Like `migrate`, but say more about what was done."""
    return _Run(url, options or Options(), say).run()


def plan(url: str, options: Options | None = None, say: Say = lambda text: None) -> Outcome:
    """What `migrate` would do. It is done in a transaction that is rolled back, so nothing changes."""
    return _Run(url, options or Options(), say, undo=True).run()


def describe(outcome: Outcome) -> Iterator[str]:
    """The lines of a plan."""
    if outcome.up_to_date:
        yield "up to date: nothing to do"
        return
    yield from (f"make role {name}" for name in outcome.roles)
    yield from (f"apply migration {name}" for name in outcome.applied)
    yield from (f"apply migration {name}, after the rest and in no transaction" for name in outcome.alone)
    yield from (f"load sql/{name}" for name in outcome.changed_files)
    yield from (f"{'replace' if name in outcome.remade else 'drop'} {name}" for name in outcome.dropped)
    yield (
        "take CONNECT and TEMP on the database from PUBLIC"
        if outcome.hardens
        else "leave what PUBLIC may do in the database as it is"
    )
    yield "this is a plan: nothing was changed"


class _Run:
    def __init__(self, url: str, options: Options, say: Say, undo: bool = False) -> None:
        self._url, self._options, self._say, self._undo = url, options, say, undo
        self._migrations = marks.files(options.migrations)
        self._retired: dict[int, Function] = {}
        self._record: Callable[[str], None] = lambda digest: None
        self._finished = ""  # the digest to record at last

    def run(self) -> Outcome:
        with admin.connect(
            self._url,
            PURPOSE,
            autocommit=True,
            lock_seconds=locks.LOCK_SECONDS,
            statement_seconds=_HOURS,
        ) as connection:
            self._connection = connection
            outcome = locks.persist(
                self._attempt, self._url, [connection.info.backend_pid], self._options.wait_seconds, self._say
            )
            if self._retired and not self._undo:
                self._drop_retired()
            for migration in self._alone() if not self._undo else ():
                self._run_alone(migration)
                outcome.applied.append(str(migration.id))
        return outcome

    def _attempt(self) -> Outcome:
        strangers.refuse(self._connection, (), strangers.BOOKKEEPING)
        roles.refuse_strangers_bank(self._connection)
        marks.refuse_prerelease(self._connection)
        if self._is_up_to_date():
            return Outcome(up_to_date=True)
        outcome = Outcome()
        if not self._undo:
            marks.add_enum_values(self._connection, self._migrations)
        try:
            with self._connection.transaction():
                marks.prepare(self._connection)
                self._connection.execute(f"lock table {marks.MUTEX} in access exclusive mode".encode())
                if self._is_up_to_date():  # the process that held the lock has done it
                    return Outcome(up_to_date=True)
                self._work(outcome)
                if self._undo:
                    raise _Undo
        except _Undo:
            return outcome
        for migration in outcome.applied:
            self._say(f"migration {migration}")
        for what in outcome.dropped:
            self._say(f"{'replaced' if what in outcome.remade else 'dropped'} {what}")
        return outcome

    def _is_up_to_date(self) -> bool:
        """Compare with what the last migrate left. This takes no lock that others would notice."""
        if self._options.force:
            return False
        applied = set(marks.applied(self._connection))
        if applied != {str(migration.id) for migration in self._migrations}:
            return False
        last = release.last(self._connection)
        if last is None or not last.whole or self._options.harden > last.hardened:
            return False
        return last.digest == self._target(last.hardened)

    def _target(self, hardened: bool) -> str:
        return release.target(self._connection, self._options.migrations, self._options.sql, hardened)

    def _work(self, outcome: Outcome) -> None:
        """Do all of it in the open transaction."""
        connection, options = self._connection, self._options
        before_roles = _roles(connection)
        roles.make_roles(connection, options.sql)
        marks.check(connection, self._migrations)
        last, before = release.last(connection), release.objects(connection)
        hardened = options.harden or (last is not None and last.hardened)
        backend = marks.Backend(connection)
        backend.init_connection(connection)
        for migration in backend.pending(self._migrations):
            migration.load()
            if migration.use_transactions:
                backend.apply_here(migration)
                outcome.applied.append(str(migration.id))
            else:
                outcome.alone.append(str(migration.id))
        connection.execute("set local search_path to pg_catalog, pg_temp")
        # A migration may have changed an object. Only objects that are still as we made them are left alone.
        reload = Reload(
            connection,
            options.sql,
            {} if options.force else release.objects(connection).unchanged(),
            hardened,
        )
        reload.run()
        connection.execute(f"set local role {OWNER}".encode())
        if outcome.applied and _has(connection, "credits.list_prices(text[])"):
            connection.execute("select credits.list_prices()")  # the list may have a new column
        files = digests(options.sql)
        facts = {
            "migration": newest_migration(options.migrations),
            "files": files,
            "hardened": hardened,
        }
        target, self._retired = self._target(hardened), reload.retired
        self._record = lambda digest: release.record(
            connection, before, reload.sources, {**facts, "digest": digest}
        )
        self._record(retired.UNFINISHED if self._retired else target)
        self._finished = target
        connection.execute("reset role")
        outcome.dropped, outcome.remade = reload.dropped, reload.remade()
        outcome.changed_files = _changed(last.files if last else {}, files)
        outcome.roles = sorted(_roles(connection) - before_roles)
        outcome.hardens = hardened and not (last and last.hardened)

    def _drop_retired(self) -> None:
        """What calls under way might have needed. Waits for such calls first."""
        retired.wait_for_calls(self._connection)
        try:
            locks.persist(
                lambda: retired.drop(self._connection, self._retired, lambda: self._record(self._finished)),
                self._url,
                [self._connection.info.backend_pid],
                self._options.wait_seconds,
                self._say,
            )
        except LockedError as error:  # the release is there, and the next migrate drops them
            self._say(f"functions of the release before are still there: {error}")

    def _alone(self) -> Sequence[Migration]:
        applied = set(marks.applied(self._connection))
        return [migration for migration in self._migrations if str(migration.id) not in applied]

    def _run_alone(self, migration: Migration) -> None:
        """CREATE INDEX CONCURRENTLY and the like, after everything else. The file must survive a second run.

        Another connection keeps the lock meanwhile. It is idle, so no concurrent index waits for it.
        """
        with admin.connect(self._url, PURPOSE) as guard:
            locks.persist(
                lambda: _take(guard),
                self._url,
                [guard.info.backend_pid],
                self._options.wait_seconds,
                self._say,
            )
            if str(migration.id) in marks.applied(self._connection):
                return
            self._say(f"migration {migration.id}")
            self._connection.execute("set lock_timeout = 0")  # while it waits, everybody can spend
            marks.Backend(self._connection).run_alone(migration)
            with self._connection.transaction():
                backend = marks.Backend(self._connection)
                backend.init_connection(self._connection)
                backend.mark(migration)


def _take(guard: admin.Connection) -> None:
    try:
        guard.execute("set local idle_in_transaction_session_timeout = 0")
        guard.execute(f"lock table {marks.MUTEX} in access exclusive mode".encode())
    except psycopg.Error:
        guard.rollback()
        raise


def _has(connection: admin.Connection, function: str) -> bool:
    row = connection.execute("select to_regprocedure(%s) is not null", [function]).fetchone()
    return bool(row and row[0])


def _roles(connection: admin.Connection) -> set[str]:
    return {str(name) for (name,) in connection.execute("select rolname from pg_roles").fetchall()}


def _changed(before: dict[str, str] | object, now: dict[str, str]) -> list[str]:
    known = before if isinstance(before, dict) else {}
    return sorted(name for name in {*known, *now} if known.get(name) != now.get(name))
