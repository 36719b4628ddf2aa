"""`pgcredits serve` as a process of its own, as it runs in production."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from http_calls import SECRET, WEBHOOK_SECRET
from support import free_port

from pgcredits.settings import Settings

_READY = 30.0  # seconds


@dataclass(frozen=True)
class Served:
    """A running `serve`. `log`: what it has written to standard error."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def serve(settings: Settings, log: Path, *options: str, **env: str) -> Iterator[Served]:
    """Runs `serve` with these options, on the databases of `settings`."""
    port = free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PGCREDITS_", "STRIPE_"))
    } | {
        "PGCREDITS_API_DATABASE_URL": settings.api_database_url,
        "PGCREDITS_SERVICE_DATABASE_URL": settings.service_database_url,
        "PGCREDITS_JWT_SECRET": SECRET,
        "PGCREDITS_POOL_SIZE": "4",
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        **env,
    }
    command = [sys.executable, "-P", "-m", "pgcredits.cli", "serve", "--port", str(port), *options]
    with log.open("wb") as output, subprocess.Popen(command, env=environment, stderr=output) as process:
        served = Served(f"http://127.0.0.1:{port}", process, log)
        try:
            _wait(served)
            yield served
        finally:
            process.terminate()
            try:
                process.wait(20)
            finally:
                process.kill()


def _wait(served: Served) -> None:
    deadline = time.monotonic() + _READY
    while True:
        assert served.process.poll() is None, served.log.read_text()
        assert time.monotonic() < deadline, served.log.read_text()
        try:
            if httpx.get(f"{served.url}/health/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
