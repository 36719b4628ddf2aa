"""docs/examples/Caddyfile in front of the HTTP API: TLS, the client's address, streams, bounds."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from http_calls import SECRET, bearer, serving
from support import PASSWORD, free_port

from pgcredits.bank.migrate import HOME
from pgcredits.database_urls import as_login
from pgcredits.http.app import create_app
from pgcredits.networks import Networks
from pgcredits.settings import Settings

PROGRAM = shutil.which("caddy")
pytestmark = [
    pytest.mark.one_version,
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="Caddy is not installed (Debian: apt-get install caddy)"),
]
SECONDS = 30.0


@dataclass
class Proxied:
    """`url` is https. `plain` is the port that sends browsers there."""

    url: str
    plain: str
    trust: ssl.SSLContext

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=self.trust, timeout=SECONDS)


def configuration(folder: Path, upstream: str, ports: tuple[int, int]) -> dict[str, Any]:
    """The Caddyfile as Caddy reads it, on ports of ours, and without touching the machine's certificates."""
    assert PROGRAM is not None
    adapted = subprocess.run(
        [PROGRAM, "adapt", "--config", str(HOME / "docs/examples/Caddyfile")],
        env={"PATH": os.defpath, "HOME": str(folder), "PGCREDITS_UPSTREAM": upstream},
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    made: dict[str, Any] = json.loads(adapted.stdout)
    http = made["apps"]["http"]
    http |= {"http_port": ports[0], "https_port": ports[1]}
    (server,) = http["servers"].values()
    server["listen"] = [f"127.0.0.1:{ports[1]}"]
    made["apps"]["pki"] = {"certificate_authorities": {"local": {"install_trust": False}}}
    made["admin"] = {"disabled": True}
    made["storage"] = {"module": "file_system", "root": str(folder / "data")}
    return made


@pytest.fixture(scope="module")
def proxied(own_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    with psycopg.connect(own_url, autocommit=True) as admin:
        admin.execute("select credits.define_guest_limits('iahome', 3, 3, 8)")
    folder = tmp_path_factory.mktemp("caddy")
    port, ports = free_port(), (free_port(), free_port())
    url = f"https://localhost:{ports[1]}"
    settings = Settings(
        as_login(own_url, "pgcredits_api", PASSWORD),
        as_login(own_url, "pgcredits_service", PASSWORD),
        SECRET,
        public_url=url,
        trusted_proxies=Networks(["127.0.0.1/32", "::1/128"]),
        pool_size=2,
    )
    file = folder / "caddy.json"
    file.write_text(json.dumps(configuration(folder, f"127.0.0.1:{port}", ports)))
    assert PROGRAM is not None
    with (
        serving(create_app(settings), port),
        (folder / "caddy.log").open("w") as log,
        subprocess.Popen(
            [PROGRAM, "run", "--config", str(file)],
            env={"PATH": os.defpath, "HOME": str(folder)},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            root = folder / "data/pki/authorities/local/root.crt"
            wait_for(root, process, folder / "caddy.log")
            made = Proxied(url, f"http://localhost:{ports[0]}", ssl.create_default_context(cafile=root))
            wait_until_served(made, process, folder / "caddy.log")
            yield made
        finally:
            process.terminate()
            try:
                process.wait(10)
            finally:
                process.kill()


def wait_for(file: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not file.exists():
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def wait_until_served(made: Proxied, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with made.client() as client:
                client.get("/health/live")
            return
        except httpx.TransportError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


def test_calls_pass_over_tls_and_plain_http_is_sent_there(proxied: Proxied) -> None:
    with proxied.client() as client:
        answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert "max-age=31536000" in answer.headers["strict-transport-security"]
    moved = httpx.get(f"{proxied.plain}/health/ready", timeout=SECONDS)
    assert moved.status_code == 308
    assert moved.headers["location"].startswith("https://localhost")


def test_address_that_a_client_writes_into_the_header_does_not_count(proxied: Proxied) -> None:
    """Guests are bounded by their network. Somebody who could choose it would have no bound."""

    def use(number: int) -> int:
        with proxied.client() as client:  # a new guest, without a cookie
            return client.post(
                "/rest/v1/rpc/guest_consume",
                json={"module_id": "whisper"},
                headers={"X-Forwarded-For": f"198.51.100.{number}"},
            ).status_code

    assert [use(number) for number in range(1, 6)] == [200, 200, 200, 429, 429]


def test_stream_passes_at_once_and_ends_with_the_client(proxied: Proxied) -> None:
    headers = bearer("authenticated", "ada")
    with (
        proxied.client() as client,
        client.stream("GET", "/balance/events", headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert any(line.startswith("data: ") and '"ada"' in line for line in lines), "the first event"


def test_large_bodies_are_refused(proxied: Proxied) -> None:
    """502: the HTTP API refused by Content-Length, and closed the connection while Caddy still sent."""
    with proxied.client() as client:
        for size in (1_500_000, 3_000_000):
            answer = client.post(
                "/rest/v1/rpc/quote_tokens",
                content=b'{"module_id": "' + b"x" * size + b'"}',
                headers={"Content-Type": "application/json", **bearer("authenticated", "ada")},
            )
            assert answer.status_code in (413, 502)
        assert client.get("/health/ready").status_code == 200


def test_metrics_stay_inside(proxied: Proxied) -> None:
    with proxied.client() as client:
        assert client.get("/metrics", headers=bearer("service_role")).status_code == 404
