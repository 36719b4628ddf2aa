"""A TCP proxy that delays all it carries: the network between an application and its database.

`python -m bench.proxy TARGET_PORT SECONDS` listens on a free port of 127.0.0.1, prints its number, and serves
until it is ended. A process of its own, so that nothing else of ours holds it up.
"""

from __future__ import annotations

import asyncio
import selectors
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

HOST = "127.0.0.1"


@contextmanager
def delayed(port: int, seconds: float) -> Iterator[int]:
    """A port that leads to `port`, `seconds` away in each direction."""
    command = [sys.executable, "-m", "bench.proxy", str(port), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


class _End(asyncio.Protocol):
    """One end of a connection: what arrives here leaves at the opposite one, later.

    Every chunk has a timer of its own, so none waits for another, of this connection or of others.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._opposite: asyncio.Transport | None = None
        self._early: list[bytes] = []  # what came before there was an opposite end

    def face(self, opposite: asyncio.Transport) -> None:
        self._opposite = opposite
        opposite.writelines(self._early)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        self._loop.call_later(self._seconds, self._deliver, data)

    def _deliver(self, data: bytes) -> None:
        if self._opposite is None:
            self._early.append(data)
        else:
            self._opposite.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._opposite is not None:
            self._loop.call_later(self._seconds, self._opposite.close)


class _Client(_End):
    """The end that was called; calls the server."""

    def __init__(self, seconds: float, port: int) -> None:
        super().__init__(seconds)
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._call = self._loop.create_task(self._call_server(transport))

    async def _call_server(self, transport: asyncio.Transport) -> None:
        opposite, server = await self._loop.create_connection(lambda: _End(self._seconds), HOST, self._port)
        server.face(transport)
        self.face(opposite)


async def _serve(port: int, seconds: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Client(seconds, port), HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    # select() keeps time in microseconds; epoll, the default, rounds a wait up to whole milliseconds.
    asyncio.SelectorEventLoop(selectors.SelectSelector()).run_until_complete(
        _serve(int(sys.argv[1]), float(sys.argv[2]))
    )
