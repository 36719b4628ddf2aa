"""The LiteLLM proxy of tests, in a process of its own: LiteLLM has versions of its own of what it needs."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from model_provider import Provider

from pgcredits.local.ports import free_ports

PACKAGES = Path(sys.prefix) / "litellm"  # where `make install` puts them
_START = 240.0  # seconds: it imports a great deal

# Each configuration is served by a process of its own. All come from one that has imported LiteLLM.
_PROGRAM = """
import json, os, sys
import litellm.proxy.proxy_server
from litellm.proxy.proxy_cli import run_server

pids = []
for number, port in json.loads(sys.argv[1]):
    pid = os.fork()
    if pid == 0:
        sys.argv = ["litellm", "--config", f"config{number}.yaml", "--port", str(port)]
        sys.argv += ["--host", "127.0.0.1", "--telemetry", "False"]
        run_server()
        os._exit(1)
    print("serving", port, pid, flush=True)
    pids.append(pid)
sys.stdin.read()  # until the tests end
for pid in pids:
    os.kill(pid, 9)
"""


@dataclass(frozen=True)
class Proxy:
    url: str
    port: int
    log: Path
    provider: Provider

    def client(self, user: str) -> httpx.Client:
        """Calls with the key that belongs to the user."""
        headers = {"Authorization": f"Bearer sk-{user}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def kill(self) -> None:
        """As the system kills a process that has too little memory."""
        found = re.search(rf"^serving {self.port} (\d+)$", self.log.read_text(), re.M)
        assert found
        os.kill(int(found[1]), signal.SIGKILL)


@contextmanager
def proxying(
    folder: Path, configs: list[dict[str, Any]], environment: dict[str, str], provider: Provider
) -> Iterator[list[Proxy]]:
    """Runs a proxy for each configuration. The files that these name are in the folder."""
    ports = free_ports(len(configs))
    for number, config in enumerate(configs):
        folder.joinpath(f"config{number}.yaml").write_text(yaml.safe_dump(config))
    variables = {
        **os.environ,
        **environment,
        "PYTHONPATH": os.pathsep.join((str(PACKAGES), str(folder))),
        "LITELLM_MASTER_KEY": f"sk-{secrets.token_hex(24)}",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # the list in the package, not the one on the internet
    }
    log = folder / "proxy.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, json.dumps(list(enumerate(ports)))],
            cwd=folder,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    proxies = [Proxy(f"http://127.0.0.1:{port}", port, log, provider) for port in ports]
    try:
        for proxy in proxies:
            _wait(proxy, process)
        yield proxies
    finally:
        assert process.stdin
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(proxy: Proxy, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START
    while True:
        said = proxy.log.read_text()
        failed = process.poll() is not None or "startup failed" in said
        assert not failed, f"the proxy did not start: {said[-3000:]}"
        assert time.monotonic() < deadline, f"the proxy is slow to start: {proxy.log.read_text()[-3000:]}"
        try:
            if httpx.get(f"{proxy.url}/health/liveliness", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
