"""What Prometheus reads at /metrics, as plain functions. Their cost is under a microsecond each.

With several workers, `serve` names a folder in PROMETHEUS_MULTIPROC_DIR. The workers keep their figures
there, and whichever of them is asked answers with the sum of all. Labels are few: routes that exist,
statuses, and slugs of the register of errors. Nothing that a client writes becomes a label.
"""

from __future__ import annotations

import asyncio
import math
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from pgcredits.bank.migrate.files import SQL

_NOTED_EVERY = 5.0  # seconds
FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it when it is imported
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_OURS = re.compile(r"PGRST\d{3}\Z")

_registry = CollectorRegistry()
_requests = Counter(
    "pgcredits_requests", "Requests that were answered.", ("method", "route", "status"), registry=_registry
)
_seconds = Histogram(
    "pgcredits_request_seconds",
    "From the first line of a request to the last byte of its answer.",
    ("method", "route"),
    buckets=_SECONDS,
    registry=_registry,
)
_refusals = Counter(
    "pgcredits_refusals",
    "Refusals by their slug; by PostgREST's code where there is no slug.",
    ("slug",),
    registry=_registry,
)
_batch = Histogram(
    "pgcredits_batch_size",
    "Calls that shared one transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64),
    registry=_registry,
)
_connections = Gauge(
    "pgcredits_pool_connections",
    "Connections to PostgreSQL.",
    ("pool",),
    registry=_registry,
    multiprocess_mode="livesum",
)
_in_use = Gauge(
    "pgcredits_pool_in_use",
    "Connections that a call is using.",
    ("pool",),
    registry=_registry,
    multiprocess_mode="livesum",
)
_waiting = Gauge(
    "pgcredits_pool_waiting",
    "Calls that wait for a connection.",
    ("pool",),
    registry=_registry,
    multiprocess_mode="livesum",
)
_streams = Gauge(
    "pgcredits_event_streams",
    "Streams of balances that are open.",
    registry=_registry,
    multiprocess_mode="livesum",
)
_refused = Counter(
    "pgcredits_pool_refused", "Calls that got no connection in time.", ("pool",), registry=_registry
)

_database_up = Gauge(
    "pgcredits_database_up",
    "1 if the database told the figures of the bank, else 0.",
    registry=_registry,
    multiprocess_mode="livemostrecent",
)
_BANK = {
    "notices_waiting": "Notices that no service has acknowledged, up to 10000.",
    "notices_age_seconds": "Age of the oldest of them.",
    "messages_due": "Messages to products that are due, up to 10000.",
    "messages_age_seconds": "For how long the first of them has been due.",
    "events_waiting": "Stripe events that wait for their order, up to 10000.",
    "events_age_seconds": "Age of the oldest of them.",
    "audit_age_seconds": "Since the last pgcredits audit. +Inf: nobody has audited the books.",
    "audit_checks": "Checks of the last audit.",
    "audit_findings": "Findings of the last audit. 0: the books are sound.",
}
_bank = {
    name: Gauge(f"pgcredits_{name}", text, registry=_registry, multiprocess_mode="livemostrecent")
    for name, text in _BANK.items()
}


@cache
def _answered(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """The two figures of one kind of answer. There are few kinds, so the cache stays small."""
    return _requests.labels(method, route, str(status)), _seconds.labels(method, route)


@cache
def _known_slugs() -> frozenset[str]:
    """The slugs of the registers in sql/README.md, which comes with the program: the bank's and the API's."""
    tables = (SQL / "README.md").read_text().partition("| SQLSTATE | slug |")[2]
    cells = [row.split("|")[2] for row in tables.splitlines() if row.count("|") > 3]
    return frozenset(slug for cell in cells for slug in re.findall(r"`(\w+)`", cell))


def request_answered(method: str, route: str, status: int, seconds: float) -> None:
    """Count an answer. `route` is the template of a path, never the path that a client wrote."""
    requests, histogram = _answered(method if method in _METHODS else "other", route, status)
    requests.inc()
    histogram.observe(seconds)


def refused(slug: str | None, code: str) -> None:
    """Count a refusal, by its slug if the register of errors has it."""
    if slug is None and _OURS.match(code):
        slug = code
    elif slug not in _known_slugs():
        slug = "other"
    _refusals.labels(slug).inc()


def batch_sent(size: int) -> None:
    """Count calls that went to the database in one transaction."""
    _batch.observe(size)


def bank_told(figures: Mapping[str, float | None] | None) -> None:
    """Take over what the database says of the bank. None: it said nothing."""
    _database_up.set(0 if figures is None else 1)
    for name, gauge in _bank.items():
        if figures is None:
            gauge.set(math.nan)  # an old figure would look like a good one
        else:
            told = figures[name.removesuffix("_seconds")]
            never = math.inf if name == "audit_age_seconds" else 0
            gauge.set(never if told is None else told)


def streams_open(number: int) -> None:
    """Take over how many streams of events this process has."""
    _streams.set(number)


class Pools:
    """The pools of this process, which keep their figures themselves."""

    def __init__(self, tell: Callable[[], Mapping[str, Mapping[str, int]]]) -> None:
        self._tell = tell
        self._refused: dict[str, int] = {}

    def note(self) -> None:
        """Take over what the pools say now."""
        for name, figures in self._tell().items():
            size = figures.get("pool_size", 0)
            _connections.labels(name).set(size)
            _in_use.labels(name).set(max(size - figures.get("pool_available", 0), 0))
            _waiting.labels(name).set(figures.get("requests_waiting", 0))
            errors = figures.get("requests_errors", 0)
            _refused.labels(name).inc(max(errors - self._refused.get(name, 0), 0))
            self._refused[name] = errors

    @asynccontextmanager
    async def noted(self) -> AsyncIterator[None]:
        """Note the pools from time to time, so that another worker can tell how they are."""
        task = asyncio.create_task(self._note_again_and_again()) if os.environ.get(FOLDER) else None
        try:
            yield
        finally:
            if task is not None:
                task.cancel()

    async def _note_again_and_again(self) -> None:
        while True:
            self.note()
            await asyncio.sleep(_NOTED_EVERY)


def page() -> bytes:
    """All figures, as Prometheus reads them."""
    if not os.environ.get(FOLDER):
        return generate_latest(_registry)
    folder = Path(os.environ[FOLDER])
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not _alive(pid):
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
