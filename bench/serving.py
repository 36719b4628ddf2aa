"""The servers of the HTTP benchmarks: `pgcredits serve`, and PostgREST beside it, on the same database."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from bench.bank import DATABASE, HOST, Bank
from pgcredits.tokens import mint

_TICKS = os.sysconf("SC_CLK_TCK")
_POOL = 10  # connections of a login, for both


@dataclass(frozen=True, slots=True)
class Server:
    name: str
    port: int
    pid: int
    prefix: str  # of the paths of views and functions
    secret: str  # of its tokens

    def token(self, role: str, subject: str | None = None) -> str:
        return mint(self.secret, role, subject, 86400)

    def seconds(self) -> float:
        """What its process has used of the processors."""
        return used(self.pid)

    def megabytes(self) -> float:
        """What its process takes of the memory for itself."""
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def used(pid: int) -> float:
    """Seconds of processor that a process has used, with its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _TICKS


@contextmanager
def served(bank: Bank, secret: str | None = None, **settings: str) -> Iterator[Server]:
    """`pgcredits serve` on that bank."""
    secret = secret or secrets.token_hex(32)
    port = _free_port()
    environment = _clean() | {
        "PGCREDITS_API_DATABASE_URL": _url(bank, "pgcredits_api"),
        "PGCREDITS_SERVICE_DATABASE_URL": _url(bank, "pgcredits_service"),
        "PGCREDITS_JWT_SECRET": secret,
        "PGCREDITS_POOL_SIZE": str(_POOL),
        **settings,
    }
    words = [sys.executable, "-m", "pgcredits.cli", "serve", "--port", str(port)]
    with _running(words, environment, f"http://{HOST}:{port}/health/ready") as pid:
        yield Server("pgcredits", port, pid, "/rest/v1", secret)


@contextmanager
def postgrest(bank: Bank, program: Path, login: str, secret: str) -> Iterator[Server]:
    """PostgREST on that bank, as one of the two logins."""
    port = _free_port()
    settings = {
        "db-uri": _url(bank, login),
        "db-schemas": "api",
        "db-anon-role": "anon" if login == "pgcredits_api" else "service_role",
        "db-pool": str(_POOL),
        "jwt-secret": secret,
        "server-host": HOST,
        "server-port": str(port),
        "log-level": "crit",
    }
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.writelines(f'{name} = "{value}"\n' for name, value in settings.items())
        file.flush()
        with _running([str(program), file.name], _clean(), f"http://{HOST}:{port}/modules?limit=1") as pid:
            yield Server("PostgREST", port, pid, "", secret)


@contextmanager
def _running(words: list[str], environment: dict[str, str], ready: str) -> Iterator[int]:
    """A program, once it answers at `ready`; with any answer but 503."""
    with subprocess.Popen(
        words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as program:
        try:
            while not _answers(ready):
                if program.poll() is not None:
                    raise RuntimeError(f"{words[0]} did not start")
                time.sleep(0.05)
            yield program.pid
        finally:
            program.terminate()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):
            return True
    except HTTPError as error:
        return error.code != 503
    except OSError:
        return False


def _url(bank: Bank, login: str) -> str:
    """The address of a login. The API's login gets the password of the other one."""
    with bank.connect() as admin:
        admin.execute(f"alter role {login} password '{bank.service.password}'".encode())
    return f"postgresql://{login}:{bank.service.password}@{HOST}:{bank.port}/{DATABASE}"


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "STRIPE"))}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
