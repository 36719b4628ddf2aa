"""The HTTP server: uvicorn, with bounds for requests and their answers, and an end without failed calls.

uvicorn bounds the pause between two requests on a connection, but neither the request nor its answer. A
client that sent half a request and nothing more would keep its connection, and a file descriptor, for ever.
So would a client that does not read its answer. Headers without end, and requests that are sent faster than
they are answered, would fill the memory.

When uvicorn is told to end, it closes its sockets and idle connections at once. Requests that were on their
way get no answer then. Here it ends in steps, and each has a bound:

1. For some seconds it goes on as before, but is not ready any more, and every answer closes its connection.
2. It stops listening. Connections that the kernel has accepted for it by then are served.
3. It closes connections on which no request arrives, and waits for those that are being answered.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.supervisors import multiprocess

from pgcredits.http.errors import refuse
from pgcredits.http.operations import logs
from pgcredits.http.operations.draining import Draining
from pgcredits.http.operations.metrics import FOLDER
from pgcredits.settings import LogFormat

ARRIVAL = 15.0  # seconds from the first byte of a request, or from connecting, to the last byte
# Seconds that an idle connection stays open. A proxy must be the first to close it: a request that it sends
# while we close gets no answer. nginx and AWS's load balancers close after 60 seconds.
IDLE = 75
LARGEST_HEAD = 65_536  # bytes of a request before its body, and of the trailers behind it
_SLOWEST = 1000  # bytes that a client reads in a second, at least
_LINGER = 1.0  # seconds that an idle connection gets when the server ends


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection on which a request does not arrive in time, or its answer is not read."""

    arrival = ARRIVAL
    _arriving: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None
    _unread = 0  # bytes of the answers that the client had not read at the last look
    _receiving = False
    _head = 0  # bytes that have arrived since the last part of a body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        self._was_read()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head += len(data)
        super().data_received(data)
        if self._receiving and self._head > LARGEST_HEAD and not self.transport.is_closing():
            self._refuse(431, "large_headers", "The headers of a request are too large.")
            return
        # Most requests arrive whole and need no timer. An empty line is no request, and uvicorn stops its own
        # timer for it.
        waiting = self._receiving or (self._answered and self.timeout_keep_alive_task is None)
        if waiting and self._arriving is None:
            self._expect()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._receiving = True
        self._head = 0
        self._arrived()  # the bound is for one request

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._head = 0
        self.headers = []  # takes the trailers: what comes behind the body is no header of the request

    def on_body(self, body: bytes) -> None:
        self._head = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._receiving = False
        self._arrived()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.pipeline:  # uvicorn would read more requests for each that it has answered
            self.flow.pause_reading()
        if self._reading is None and self.transport.get_write_buffer_size():
            self._look_again()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._reading is None:
            self._look_again()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "bad_request", msg)

    def shutdown(self) -> None:
        """The server ends. A request may be on its way on this connection, also if it is idle now."""
        if _is_draining(self.app):
            self.loop.call_later(_LINGER, self._end_when_idle)
        else:
            super().shutdown()

    def _end_when_idle(self) -> None:
        if self.transport.is_closing():
            return
        if self._receiving or not self._answered:
            self.loop.call_later(_LINGER, self._end_when_idle)
        else:
            self.transport.close()

    @property
    def _answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _expect(self) -> None:
        self._arriving = self.loop.call_later(self.arrival, self._give_up)

    def _arrived(self) -> None:
        if self._arriving is not None:
            self._arriving.cancel()
            self._arriving = None

    def _give_up(self) -> None:
        self._arriving = None
        if not self.transport.is_closing():
            self.transport.abort()  # an answer would wait as well for a client that does not read

    def _look_again(self) -> None:
        self._unread = self.transport.get_write_buffer_size()
        self._reading = self.loop.call_later(self.arrival, self._look)

    def _look(self) -> None:
        """Has the client read some of its answers? A connection that was closed also waits for that."""
        self._reading = None
        left = self.transport.get_write_buffer_size()
        if left > max(self._unread - self.arrival * _SLOWEST, 0):
            self.transport.abort()
        elif left:
            self._look_again()

    def _was_read(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _refuse(self, status: int, slug: str, message: str) -> None:
        """Refuse what is not a request. A client that waits for an answer gets none: it would be mistaken."""
        if not self._answered:
            self.transport.abort()
            return
        body = msgspec.json.encode(refuse(status, slug, message).body())
        headers = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + headers % len(body) + body)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Stay with HTTP/1.1 and say nothing. Java's client offers HTTP/2 with every request."""


class DrainingServer(uvicorn.Server):
    """uvicorn's server, which ends in steps."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()  # what lives as long as the process need not be looked at again and again

    async def main_loop(self) -> None:
        await super().main_loop()
        draining = _draining(self.config.loaded_app)
        if draining is None:
            return
        draining.begin()
        deadline = time.monotonic() + draining.delay
        # Somebody who presses Ctrl-C, or repeats the signal, wants an end at once.
        while time.monotonic() < deadline and self._captured_signals == [signal.SIGTERM]:
            await asyncio.sleep(0.05)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        accepted = [connection for listener in sockets or [] for connection in _accepted(listener)]
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        for connection in accepted:
            await loop.connect_accepted_socket(self._protocol, connection)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


class _Worker(multiprocess.Process):
    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = DrainingServer(self.config)
        return self._server


class _Workers(multiprocess.Multiprocess):
    """uvicorn's parent of several workers."""

    def terminate_all(self) -> None:
        super().terminate_all()
        # The workers have the socket, too. If it stayed open here, connections would wait for nobody.
        for listener in self.sockets:
            listener.close()


def _accepted(listener: socket.socket) -> list[socket.socket]:
    """The connections that the kernel has accepted, and that nobody has taken yet."""
    found = []
    while True:
        try:
            found.append(listener.accept()[0])
        except OSError:  # no more are there, or the socket is closed already
            return found


def _draining(app: Any) -> Draining | None:
    state = getattr(app, "state", None)
    return state.get("draining") if state is not None else None


def _is_draining(app: Any) -> bool:
    draining = _draining(app)
    return draining is not None and draining.begun


def run(host: str, port: int, workers: int, log_format: LogFormat) -> None:
    """Serve until a signal ends it. The environment configures each worker."""
    config = uvicorn.Config(
        "pgcredits.http.app:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_config=logs.configuration(log_format),
        **defaults(),
    )
    with _shared_figures(workers), suppress(KeyboardInterrupt):
        listeners = [config.bind_socket()]
        if workers > 1:
            multiprocess.Process = _Worker  # type: ignore[misc]
            _Workers(config, sockets=listeners).run()
            return
        server = DrainingServer(config)
        server.run(sockets=listeners)
        if not server.started:
            sys.exit(STARTUP_FAILURE)


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
        "ws": "none",
        "access_log": False,
        "proxy_headers": False,  # client_address.py reads X-Forwarded-For
        "timeout_graceful_shutdown": 10,
        "timeout_keep_alive": IDLE,
    }
