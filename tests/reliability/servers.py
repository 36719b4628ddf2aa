"""A PostgreSQL and an API that are killed as in a crash of the machine, and started again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random

import httpx
import psycopg
from reliability.calls import HttpChannel, Lost
from support import PASSWORD, free_port

from pgcredits.database_urls import as_login
from pgcredits.local import embedded
from pgcredits.tokens import mint

JWT_SECRET = "of the crash tests, thirty-two bytes or more"
METRICS_TOKEN = "of the crash tests, to read the figures of the API"
LOGINS = ("pgcredits_api", "pgcredits_service")


class Postgres:
    """A separate server. Each way to kill it also restarts it, and returns the seconds until it answers."""

    def __init__(self, bin_dir: Path, settings: Mapping[str, str]) -> None:
        self.bin_dir = bin_dir
        self.settings = settings
        self.folder = Path(tempfile.mkdtemp(prefix="pgcredits-crash-"))
        self.port = free_port()
        self._start()

    def url(self, dbname: str) -> str:
        return self.server.url(dbname)

    def close(self) -> None:
        embedded.stop(self.server)
        shutil.rmtree(self.folder)

    def kill_backend(self, random: Random) -> float:
        """kill -9 of one writer's process: the postmaster ends all others, and recovers by itself."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as witness:
            query = "select pid from pg_stat_activity where usename = 'pgcredits_service' order by pid"
            pids = [pid for (pid,) in witness.execute(query)]
            os.kill(random.choice(pids), signal.SIGKILL)
            began = time.monotonic()
            with suppress(psycopg.OperationalError):  # until it has noticed
                while True:
                    witness.execute("select pg_sleep(0.001)")
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
                return time.monotonic() - began
            except psycopg.OperationalError:
                time.sleep(0.01)

    def kill_all(self, random: Random) -> float:
        """kill -9 of the postmaster and of all its children, as when the machine's power goes."""
        os.kill(self.server.pid, signal.SIGSTOP)  # it must not notice
        ps = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        family = [
            int(pid) for pid, parent in map(str.split, ps.splitlines()) if int(parent) == self.server.pid
        ]
        for pid in (*family, self.server.pid):
            os.kill(pid, signal.SIGKILL)
        return self._start_again()

    def stop_at_once(self, random: Random) -> float:
        """An immediate shutdown: nothing is written any more."""
        os.kill(self.server.pid, signal.SIGQUIT)
        return self._start_again()

    def _start_again(self) -> float:
        assert self.server.process
        self.server.process.wait(60)
        began = time.monotonic()
        self._start()
        return time.monotonic() - began

    def _start(self) -> None:
        self.server = embedded.start(
            self.folder, self.port, PASSWORD, self.bin_dir, self.settings, say=lambda text: None
        )


class Api:
    """`pgcredits serve` on a database, whose logins have the password of the tests."""

    def __init__(
        self,
        database_url: str,
        log: Path,
        more: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        ours = ("STRIPE_", "PGCREDITS_", "PG")  # theirs would steer us
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.environment |= {
            "PGCREDITS_API_DATABASE_URL": as_login(database_url, "pgcredits_api", PASSWORD),
            "PGCREDITS_SERVICE_DATABASE_URL": as_login(database_url, "pgcredits_service", PASSWORD),
            "PGCREDITS_JWT_SECRET": JWT_SECRET,
            "PGCREDITS_METRICS_TOKEN": METRICS_TOKEN,
            **(more or {}),
        }
        self.token = mint(JWT_SECRET, "service_role", None, 3600)
        self.start()

    def start(self) -> float:
        """Start it. Returns the seconds until it answers."""
        began = time.monotonic()
        words = [sys.executable, "-m", "pgcredits.cli", "serve", "--port", str(self.port)]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(words, env=self.environment, stdout=output, stderr=output)
        self.wait_until_ready()
        return time.monotonic() - began

    def wait_until_ready(self, most: float = 60) -> float:
        """Wait until it answers, and has its database. Returns the seconds that took."""
        began = time.monotonic()
        with httpx.Client(timeout=5, trust_env=False, verify=False) as http:
            while True:
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() - began < most, self.log.read_text()
                with suppress(httpx.TransportError):
                    if http.get(f"{self.url}/health/ready").is_success:
                        return time.monotonic() - began
                time.sleep(0.02)

    def kill(self) -> float:
        """kill -9, and start it again."""
        self.stop()
        return self.start()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(60)

    def connect(self, role: str = "service_role", sub: str | None = None) -> HttpChannel:
        """Raises Lost while it is down."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        except OSError as error:
            raise Lost from error
        return HttpChannel(self.url, mint(JWT_SECRET, role, sub, 3600), role)

    def shared_spends(self) -> float:
        """How many spends have shared a transaction since it was started."""
        headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        answer = httpx.get(f"{self.url}/metrics", headers=headers, timeout=20, trust_env=False)
        found = re.search(r"^pgcredits_batch_size_sum ([0-9.]+)$", answer.raise_for_status().text, re.M)
        assert found is not None
        return float(found[1])
