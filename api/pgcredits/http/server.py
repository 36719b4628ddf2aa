"""The HTTP server: uvicorn, with a bound on how long a request may take to arrive.

uvicorn bounds the pause between two requests on a connection, but not the request itself. A client that sent
half a request and nothing more would keep its connection, and a file descriptor, for ever.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pgcredits.http import logs
from pgcredits.http.metrics import FOLDER
from pgcredits.settings import LogFormat

ARRIVAL = 15.0  # seconds from the first byte of a request, or from connecting, to the last byte
# Seconds that an idle connection stays open. A proxy must be the first to close it: a request that it sends
# while we close gets no answer. nginx and AWS's load balancers close after 60 seconds.
IDLE = 75


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection on which a request does not arrive in time."""

    arrival = ARRIVAL
    _arriving: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect()

    def on_message_complete(self) -> None:
        self._arrived()
        super().on_message_complete()

    def _expect(self) -> None:
        self._arrived()
        self._arriving = self.loop.call_later(self.arrival, self._give_up)

    def _arrived(self) -> None:
        if self._arriving is not None:
            self._arriving.cancel()
            self._arriving = None

    def _give_up(self) -> None:
        self._arriving = None
        if not self.transport.is_closing():
            self.transport.abort()  # an answer would wait as well for a client that does not read


def run(host: str, port: int, workers: int, log_format: LogFormat) -> None:
    """Serve until a signal ends it. The environment configures each worker."""
    with _shared_figures(workers):
        uvicorn.run(
            "pgcredits.http.app:create_app",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            log_config=logs.configuration(log_format),
            **defaults(),
        )


@contextmanager
def _shared_figures(workers: int) -> Iterator[None]:
    """A folder where several workers keep their figures together: see metrics.py."""
    if workers == 1 or os.environ.get(FOLDER):
        yield
        return
    with TemporaryDirectory(prefix="pgcredits-metrics-") as folder:
        os.environ[FOLDER] = folder
        yield


def defaults() -> dict[str, Any]:
    """uvicorn's options for every server of ours."""
    return {
        "http": BoundedProtocol,
        "access_log": False,
        "proxy_headers": False,  # client_address.py reads X-Forwarded-For
        "timeout_graceful_shutdown": 10,
        "timeout_keep_alive": IDLE,
    }
