"""A server that is told to end answers every call that it has taken, and says first that it is not ready."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from http_calls import User
from served import serve

from pgcredits.settings import Settings

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

DELAY = 2  # seconds


@dataclass
class Load:
    """Clients that call until they are refused a connection. Some keep their connections, others do not."""

    url: str
    headers: dict[str, str]
    answers: Counter[int] = field(default_factory=Counter)
    closing: int = 0  # answers that said so
    failures: list[str] = field(default_factory=list)
    refused_at: list[float] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def keep_calling(self, keep: bool) -> None:
        limits = httpx.Limits(max_keepalive_connections=1 if keep else 0)
        with httpx.Client(base_url=self.url, headers=self.headers, limits=limits, timeout=20) as client:
            while not self.ended.is_set():
                try:
                    answer = client.post("/rest/v1/rpc/consume_tokens", json={"module_id": "whisper"})
                except httpx.ConnectError:
                    self.refused_at.append(time.monotonic())
                    return
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))
                    return
                self.answers[answer.status_code] += 1
                self.closing += answer.headers.get("connection") == "close"

    def watch(self) -> float:
        """When it was no longer ready."""
        while httpx.get(f"{self.url}/health/ready").is_success:
            time.sleep(0.01)
        return time.monotonic()


@pytest.mark.parametrize("workers", [1, 2])
def test_no_call_fails_when_the_server_ends(
    settings: Settings, rich: User, tmp_path: Path, workers: int
) -> None:
    delay = {"PGCREDITS_SHUTDOWN_DELAY": str(DELAY)}
    with serve(settings, tmp_path / "log", "--workers", str(workers), **delay) as served:
        load = Load(served.url, rich.headers)
        clients = [threading.Thread(target=load.keep_calling, args=(n % 3 > 0,)) for n in range(9)]
        for client in clients:
            client.start()
        with httpx.Client(base_url=served.url) as idle:
            assert idle.get("/health/live").is_success
            time.sleep(0.5)
            assert load.closing == 0
            served.process.terminate()
            not_ready = load.watch()
            answered = sum(load.answers.values())
            served.process.wait(DELAY + 6)  # a connection that nobody uses does not hold it up
        load.ended.set()
        for client in clients:
            client.join(20)
    assert load.failures == []
    assert len(load.refused_at) == len(clients), "each has gone on until the server was gone"
    assert min(load.refused_at) > not_ready
    assert sum(load.answers.values()) > answered, "calls are answered while it is not ready"
    assert load.closing > 0
    assert set(load.answers) <= {200, 402, 503}, load.answers
