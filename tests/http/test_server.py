"""A request that does not arrive gives its connection back."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
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


GET = b"GET /health/live HTTP/1.1\r\nHost: a\r\n"


def read_all(client: socket.socket) -> bytes:
    """Everything that the server sends until it closes the connection."""
    found = b""
    try:
        while part := client.recv(65536):
            found += part
    except ConnectionResetError:
        pass
    return found


@pytest.mark.parametrize("line", [b"X-Name: value\r\n", b"a" * 16], ids=["many headers", "one long header"])
def test_headers_without_end_are_refused(base_url: str, line: bytes) -> None:
    with connect(base_url) as client:
        client.sendall(GET + b"X-First: ")
        with suppress(OSError):
            for _ in range(500):
                client.sendall(line * 4000)
            pytest.fail("the server took 32 MB of headers")
    with connect(base_url) as client:
        client.sendall(GET + b"X-First: ")
        time.sleep(0.1)
        client.sendall(b"a" * 70_000)
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "PT431"


def test_a_large_body_does_not_count_as_headers(base_url: str, service: dict[str, str]) -> None:
    body = {"user_id": "nobody", "module_id": "m", "usage": {"text": "a" * 900_000}}
    response = httpx.post(f"{base_url}/rest/v1/rpc/quote_tokens", json=body, headers=service, timeout=20)
    assert response.status_code not in (413, 431)


def test_trailers_without_end_are_cut_off(base_url: str) -> None:
    head = b"POST /rest/v1/rpc/quote_tokens HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connect(base_url) as client, pytest.raises(OSError):
        client.sendall(head + b"2\r\n{}\r\n0\r\n")
        for _ in range(200):
            client.sendall(b"X-Name: value\r\n" * 2000)


def test_a_trailer_is_not_a_header_of_the_request(base_url: str) -> None:
    """A proxy looks at the headers alone. Behind it nobody may add an address or a cookie in a trailer."""
    head = b"POST /auth/signup HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    user = json.dumps({"email": f"trailer{time.time_ns()}@example.com", "password": "correct horse"}).encode()
    cookie = b"Cookie: pgcredits_guest=" + b"a" * 32
    with connect(base_url) as client:
        client.sendall(head + b"%x\r\n%b\r\n0\r\n%b\r\n\r\n" % (len(user), user, cookie))
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert b"set-cookie: pgcredits_guest=" in answer.lower()


def test_requests_wait_while_those_before_have_no_answer(
    base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = 0  # queue of requests
    complete = BoundedProtocol.on_response_complete

    def measured(protocol: BoundedProtocol) -> None:
        nonlocal longest
        longest = max(longest, len(protocol.pipeline))
        complete(protocol)

    monkeypatch.setattr(BoundedProtocol, "on_response_complete", measured)
    requests = b"GET /x HTTP/1.1\r\n\r\n" * 5000
    with connect(base_url) as client:
        client.setblocking(False)
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline and longest < 50_000:
            with suppress(BlockingIOError):
                client.send(requests)
            with suppress(BlockingIOError):
                client.recv(1 << 20)
    assert 0 < longest < 20_000  # one reading of the socket


def test_all_of_many_pipelined_requests_are_answered(base_url: str) -> None:
    with connect(base_url) as client:
        client.sendall((GET + b"\r\n") * 3000 + GET + b"Connection: close\r\n\r\n")
        assert read_all(client).count(b"HTTP/1.1 200 ") == 3001


@pytest.mark.parametrize("last", [b"", b"Connection: close\r\n"], ids=["kept alive", "to be closed"])
def test_a_client_that_reads_no_answers_loses_its_connection(hurried: str, last: bytes) -> None:
    where = urlsplit(hurried)
    path = b"GET /schema/swagger-ui.js HTTP/1.1\r\nHost: a\r\n"
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((str(where.hostname), int(where.port or 0)))
        client.sendall((path + b"\r\n") * 5 + path + last + b"\r\n")
        time.sleep(2)
        client.settimeout(5)
        with suppress(ConnectionResetError):
            received = len(read_all(client))
            assert received < 6 * 1_000_000


def test_a_client_that_reads_slowly_gets_its_answer(hurried: str) -> None:
    path = b"GET /schema/swagger-ui.js HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    where = urlsplit(hurried)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((str(where.hostname), int(where.port or 0)))
        client.sendall(path)
        received = b""
        for _ in range(12):
            received += client.recv(4096)
            time.sleep(0.1)  # longer than a request may take to arrive
        received += read_all(client)
    head, _, body = received.partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head


def test_a_refusal_never_stands_for_another_answer(base_url: str) -> None:
    spend = b"POST /rest/v1/rpc/quote_tokens HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
    with connect(base_url) as client:
        client.sendall(spend + b"\0\0\0\0")
        assert not read_all(client).startswith(b"HTTP/1.1 400 ")


def test_bytes_that_are_not_http_get_an_error_like_others(base_url: str) -> None:
    with connect(base_url) as client:
        client.sendall(b"\0\0\0\0\r\n\r\n")
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2]).keys() == {"code", "message", "details", "hint"}


def test_a_client_that_offers_another_protocol_is_served(
    base_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    offers = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAEAAEAA"}
    with httpx.Client(base_url=base_url, headers=offers) as client:
        for _ in range(2):
            assert client.get("/health/live").status_code == 200
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


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
