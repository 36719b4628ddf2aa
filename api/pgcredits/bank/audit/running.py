"""Run checks over several connections. All of them see the same moment of the database."""

from __future__ import annotations

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, suppress
from typing import Any

import psycopg
from psycopg import sql

from pgcredits.bank import admin
from pgcredits.bank.audit.checks import SHOWN, Check, Connection, Part, parts, standing

_STATEMENT_SECONDS = 3600
_CANCEL_SECONDS = 5.0

# What was done last, how many parts are done, and of how many.
Reporter = Callable[[str, int, int], None]
# For each view, what each of its parts took and found.
Results = dict[str, list[tuple[float, list[tuple[Any, ...]]]]]


class AuditError(Exception):
    """The audit cannot be done as it was asked for."""


def open_connection(url: str) -> Connection:
    """A connection that sees one moment of the database, and writes nothing."""
    connection = admin.connect(url, "pgcredits audit", statement_seconds=_STATEMENT_SECONDS)
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection


def run(
    url: str, *, jobs: int = 1, only: Sequence[str] = (), progress: Reporter | None = None
) -> list[Check]:
    """Run the checks as the login of `url`, in one snapshot. `only`: names of checks; none means all.

    `jobs`: how many connections share the work. If the server gives fewer, the audit goes on with those.
    Raises AuditError for a check that does not exist, psycopg.Error.
    """
    with ExitStack() as stack:
        leader = stack.enter_context(closing(open_connection(url)))
        comments = standing(leader)
        views = _chosen(list(comments), only)
        work = parts(leader, views)
        crew = [leader, *_more(stack, url, leader, min(jobs, len(work)) - 1)]
        results = together(work, crew, progress)
    return [merged(view, results[view], comments[view]) for view in views]


def _chosen(standing: list[str], only: Sequence[str]) -> list[str]:
    if not only:
        return standing
    wanted = ["check_" + name.removeprefix("check_") for name in only]
    for view in wanted:
        if view not in standing:
            names = ", ".join(name.removeprefix("check_") for name in standing)
            raise AuditError(f"there is no check {view.removeprefix('check_')}. There are: {names}")
    return [view for view in standing if view in wanted]


def _more(stack: ExitStack, url: str, leader: Connection, number: int) -> list[Connection]:
    """Connections that see what the leader sees, as many as the server gives."""
    if number < 1:
        return []
    ((snapshot,),) = leader.execute("select pg_export_snapshot()").fetchall()
    more: list[Connection] = []
    for _ in range(number):
        try:
            connection = stack.enter_context(closing(open_connection(url)))
        except psycopg.OperationalError:  # too many connections
            break
        connection.execute(sql.SQL("set transaction snapshot {}").format(sql.Literal(snapshot)))
        more.append(connection)
    return more


class _Work:
    """What there is to do, and what was found. The connections take parts of it until none is left."""

    def __init__(self, work: Sequence[Part], progress: Reporter | None) -> None:
        self.results: Results = defaultdict(list)
        self._todo: queue.SimpleQueue[Part] = queue.SimpleQueue()
        self._done, self._of = 0, len(work)
        self._progress = progress
        self._lock = threading.Lock()
        self.ended = False
        for part in work:
            self._todo.put(part)

    def do(self, connection: Connection) -> None:
        """Do parts while there are any. Then end the connection: an idle one would be in the way."""
        with closing(connection):
            while not self.ended:
                try:
                    part = self._todo.get_nowait()
                except queue.Empty:
                    return
                started = time.perf_counter()
                rows = connection.execute(part.query()).fetchall()
                self._report(part, (time.perf_counter() - started) * 1000, rows)

    def _report(self, part: Part, milliseconds: float, rows: list[tuple[Any, ...]]) -> None:
        with self._lock:
            self.results[part.view].append((milliseconds, rows))
            self._done += 1
            if self._progress:
                self._progress(str(part), self._done, self._of)


def together(parts: Sequence[Part], crew: list[Connection], progress: Reporter | None) -> Results:
    """Let each connection work in a thread. A failure, and Ctrl-C, cancel what the others are doing."""
    work = _Work(parts, progress)
    if len(crew) == 1:
        work.do(crew[0])
        return work.results
    with ThreadPoolExecutor(len(crew), thread_name_prefix="audit") as pool:
        running = [pool.submit(work.do, connection) for connection in crew]
        try:
            while not all(future.done() for future in running):
                done, _ = wait(running, timeout=1, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result(timeout=0)
        except BaseException:
            work.ended = True
            for connection in crew:
                with suppress(psycopg.Error):  # it has ended by itself
                    connection.cancel_safe(timeout=_CANCEL_SECONDS)
            raise
        for future in running:
            future.result(timeout=0)
    return work.results


def merged(view: str, parts: list[tuple[float, list[tuple[Any, ...]]]], comment: str) -> Check:
    """What all parts of a check have found."""
    findings = [row[:3] for _, rows in parts for row in rows]
    return Check(
        view.removeprefix("check_"),
        sum(rows[0][3] for _, rows in parts if rows),
        sum(milliseconds for milliseconds, _ in parts),
        findings[:SHOWN],
        comment,
    )
