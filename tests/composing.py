"""The services of docker-compose.yml as processes: the commands and variables of the file, and no engine.

A server stands in for the container of PostgreSQL, and ports of this machine for the names of containers.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pgcredits.bank.migrate import HOME

_SECONDS = 60.0


@dataclass
class Composed:
    """The services of the file, as processes."""

    services: dict[str, Any]
    image: Mapping[str, str]  # the environment in which the programs of the image are found
    folder: Path
    database: int
    ports: dict[str, int]
    running: ExitStack = field(default_factory=ExitStack)
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def words(self, name: str) -> list[str]:
        """The command of a service, as the image starts it."""
        dockerfile = (HOME / "Dockerfile").read_text()
        entry, command = (
            json.loads(re.findall(rf"^{word} (.*)$", dockerfile, re.M)[-1]) for word in ("ENTRYPOINT", "CMD")
        )
        service = self.services[name]
        program, *rest = service.get("entrypoint", entry)
        words = [*rest, *service.get("command", command)]
        return [f"{self.image['VIRTUAL_ENV']}/bin/{program}", *(self.here(word, name) for word in words)]

    def here(self, text: str, name: str) -> str:
        """What names a container or a folder of one, named as it is on this machine."""
        for other, port in self.ports.items():
            text = re.sub(rf"//{other}:\d+", f"//127.0.0.1:{port}", text)
        text = re.sub(r"@postgres(:5432)?/", f"@127.0.0.1:{self.database}/", text)
        text = re.sub(r"^(--port=)?800[01]$", rf"\g<1>{self.ports.get(name)}", text)
        text = text.replace("http://127.0.0.1:8010", f"http://127.0.0.1:{self.ports['demo']}")
        text = text.replace("http://127.0.0.1:8001", f"http://127.0.0.1:{self.ports['simulator']}")
        return text.replace("/var/lib/pgcredits", str(self.folder)).replace("/catalogs", str(self.folder))

    def environment(self, name: str) -> dict[str, str]:
        given = self.services[name].get("environment", {})
        return {**self.image, **{key: self.here(value, name) for key, value in given.items()}}

    def run(self, name: str) -> tuple[int, str]:
        done = subprocess.run(
            self.words(name),
            env=self.environment(name),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout + done.stderr

    def start(self, name: str) -> None:
        log = self.running.enter_context((self.folder / f"{name}.log").open("w"))
        process = self.running.enter_context(
            subprocess.Popen(
                self.words(name), env=self.environment(name), cwd=self.folder, stdout=log, stderr=log
            )
        )
        self.running.callback(process.kill)
        self.running.callback(process.wait, 20)
        self.processes.append(process)

    def stop(self) -> None:
        """End all at once."""
        for process in self.processes:
            process.terminate()
        self.running.close()

    def until(self, check: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _SECONDS
        while not check():
            logs = {log.name: log.read_text()[-2000:] for log in self.folder.glob("*.log")}
            assert time.monotonic() < deadline, f"{what}: {logs}"
            time.sleep(0.1)
