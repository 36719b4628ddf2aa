"""A request that does not arrive gives its connection back."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from http_calls import User, serving

from pgcredits.http.app import create_app
from pgcredits.http.server import BoundedProtocol
from pgcredits.settings import Settings

pytestmark = [pytest.mark.one_version, pytest.mark.slow]


@pytest.fixture
def hurried(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(BoundedProtocol, "arrival", 0.5)
    with serving(create_app(settings)) as url:
        yield url


def connect(url: str) -> socket.socket:
    where = urlsplit(url)
    return socket.create_connection((str(where.hostname), int(where.port or 0)), timeout=5)


def ended(client: socket.socket) -> bool:
    """Has the server closed the connection, politely or not?"""
    client.settimeout(2)
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"GET /health/live HTTP/1.1\r\nHost: a\r\n",
        b"POST /rest/v1/rpc/quote_tokens HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
        b"POST /rest/v1/rpc/quote_tokens HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\nGET /health/live HT",
        b"\r\n",
    ],
    ids=[
        "nothing",
        "half of the headers",
        "half of the body",
        "half of a chunk",
        "half of a second request",
        "an empty line",
    ],
)
def test_half_a_request_is_closed(hurried: str, half: bytes) -> None:
    with connect(hurried) as client:  # whose reads end after 5 s, where a request has 15 by default
        client.sendall(half)
        try:
            while client.recv(65536):
                pass
        except ConnectionResetError:
            pass


def test_a_request_that_trickles_in_is_closed_too(hurried: str) -> None:
    with connect(hurried) as client, pytest.raises(OSError):
        for letter in b"GET /health/live HTTP/1.1\r\nX-Slow: " + b"a" * 100:
            client.sendall(bytes([letter]))
            time.sleep(0.05)


def test_an_empty_line_after_a_request_does_not_keep_a_connection(hurried: str) -> None:
    with connect(hurried) as client:
        client.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(65536)
        client.sendall(b"\r\n")
        assert ended(client)


def test_many_half_requests_do_not_keep_others_out(hurried: str) -> None:
    clients = [connect(hurried) for _ in range(200)]
    try:
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\n")
        time.sleep(1)
        assert httpx.get(f"{hurried}/health/live").status_code == 200
        for client in clients:
            assert ended(client)
    finally:
        for client in clients:
            client.close()


def test_a_slow_answer_is_not_cut_off(hurried: str, user: User, admin_sleep: str) -> None:
    """Only the arrival of a request is bounded: the database has bounds of its own."""
    with httpx.Client(base_url=hurried, timeout=10) as client:
        for _ in range(2):  # twice on one connection
            response = client.post(f"/rest/v1/rpc/{admin_sleep}", json={}, headers=user.headers)
            assert response.status_code == 200


@pytest.fixture
def admin_sleep(admin: object) -> Iterator[str]:
    """A function of api that takes longer than a request may take to arrive."""
    admin.execute(  # type: ignore[attr-defined]
        "create function api.nap() returns integer language plpgsql"
        " as $$ begin perform pg_sleep(1); return 1; end $$;"
        "grant execute on function api.nap() to authenticated"
    )
    yield "nap"
    admin.execute("drop function api.nap()")  # type: ignore[attr-defined]
