"""The parts of a running `up`. Each of them is started, watched and stopped in the same way."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pgcredits.bank import admin
from pgcredits.bank.passwords import VARIABLES
from pgcredits.http.origins import LOCAL
from pgcredits.local import embedded, memory
from pgcredits.local.instance import Running, Secrets
from pgcredits.local.options import Options, Say, UpError

DATABASE = "pgcredits"
PGCREDITS = (sys.executable, "-P", "-m", "pgcredits.cli")  # -P: nothing is imported from the current folder
_SIMULATOR = (sys.executable, "-P", "-m", "stripe_simulator")
SUPERVISED = "PGCREDITS_SUPERVISED"  # tells a `pgcredits` that it is a child of `up`: see cli.py
_PATIENCE = 15.0  # seconds for a child to end by itself
_MAINTAINED_EVERY = 60  # seconds
SIMULATOR_KEY = "sk_test_simulator"


class Part(Protocol):
    """Something that `up` starts, and starts again when it ends."""

    name: str

    @property
    def log(self) -> Path: ...
    def start(self) -> None: ...
    def ended(self) -> str | None: ...  # how it ended, or None while it runs
    def stop(self) -> None: ...


@dataclass
class Program:
    """A child process. It ends when our end of its stdin closes, so even kill -9 of `up` leaves no orphan."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                env={**self.environment, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def ended(self) -> str | None:
        return _how(self.process)

    def stop(self) -> None:
        if self.process is not None:
            end(self.process, _PATIENCE)


@dataclass
class Database:
    """The embedded server."""

    data_dir: Path
    port: int
    password: str = field(repr=False)
    say: Say
    name: str = field(default="PostgreSQL", init=False)
    server: embedded.Server | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        return self.data_dir / "postgres.log"

    def start(self) -> None:
        settings = memory.settings_for(self.data_dir)
        self.server = embedded.start(self.data_dir, self.port, self.password, settings=settings, say=self.say)
        self.port = self.server.port

    def url(self) -> str:
        """The superuser's URL of our database, which is made when it is missing."""
        if self.server is None:
            raise UpError("PostgreSQL has not been started")
        with admin.connect(self.server.url(), "pgcredits up", autocommit=True) as connection:
            if not connection.execute("select from pg_database where datname = %s", (DATABASE,)).rowcount:
                connection.execute(f"create database {DATABASE}".encode())
        return self.server.url(DATABASE)

    def ended(self) -> str | None:
        if self.server and self.server.alive():
            return None
        return (_how(self.server.process) if self.server else None) or "ended"

    def stop(self) -> None:
        if self.server:
            embedded.stop(self.server)


def simulator(folder: Path, options: Options, secrets: Secrets) -> Program:
    """The Stripe simulator, which sends its webhooks to our API."""
    arguments = {
        "--port": str(options.simulator_port),
        "--data-dir": str(folder),
        "--webhook-url": f"http://127.0.0.1:{options.port}/webhooks/stripe",
    }
    words = [word for pair in arguments.items() for word in pair]
    environment = {**_environment(), "STRIPE_WEBHOOK_SECRET": secrets.webhook_secret}  # `ps` must not show it
    command = [*_SIMULATOR, "--end-with-stdin", *words]
    return Program("Stripe simulator", command, environment, folder / "simulator.log")


def api(folder: Path, options: Options, secrets: Secrets, running: Running) -> Program:
    """The HTTP API."""
    environment = {
        **_environment("PGCREDITS_", "STRIPE_"),
        SUPERVISED: "1",
        "PGCREDITS_API_DATABASE_URL": running.api_database_url,
        "PGCREDITS_SERVICE_DATABASE_URL": running.service_database_url,
        "PGCREDITS_JWT_SECRET": running.jwt_secret,
        "PGCREDITS_PUBLIC_URL": running.api_url,
    }
    for variable in VARIABLES:  # the URLs have their passwords
        environment.pop(variable, None)
    # A frontend under development is a page of this machine, on a port of its own.
    environment.setdefault("PGCREDITS_CORS_ORIGINS", LOCAL)
    environment.setdefault("PGCREDITS_RETURN_ORIGINS", LOCAL)
    environment.setdefault("PGCREDITS_SHUTDOWN_DELAY", "0")  # who ends `up` waits for it
    if running.simulator_url:
        environment |= {
            "STRIPE_SECRET_KEY": SIMULATOR_KEY,
            "STRIPE_WEBHOOK_SECRET": secrets.webhook_secret,
            "STRIPE_API_BASE": running.simulator_url,
        }
    command = [*PGCREDITS, "serve", "--port", str(options.port)]
    return Program("API", command, environment, folder / "api.log")


def maintenance(folder: Path, running: Running) -> Program:
    """`pgcredits maintain`, which books what the clock has made due."""
    environment = {
        **_environment(),
        SUPERVISED: "1",
        "PGCREDITS_DATABASE_URL": running.service_database_url,
    }
    command = [*PGCREDITS, "maintain", "--every", str(_MAINTAINED_EVERY)]
    return Program("maintenance", command, environment, folder / "maintenance.log")


def worker(folder: Path, running: Running) -> Program:
    """`pgcredits work`, which makes the calls to Stripe that the bank wants."""
    environment = {
        **_environment("STRIPE_", "PGCREDITS_WEBHOOK_"),
        SUPERVISED: "1",
        "PGCREDITS_DATABASE_URL": running.service_database_url,
        "PGCREDITS_PUBLIC_URL": running.api_url,
    }
    environment.pop("STRIPE_WEBHOOK_SECRET", None)
    # A product under development listens on this machine.
    environment.setdefault("PGCREDITS_WEBHOOK_NETWORKS", "127.0.0.0/8,::1/128")
    if running.simulator_url:
        environment |= {"STRIPE_SECRET_KEY": SIMULATOR_KEY, "STRIPE_API_BASE": running.simulator_url}
    return Program("worker", [*PGCREDITS, "work"], environment, folder / "worker.log")


def _environment(*needed: str) -> dict[str, str]:
    """Our environment for a child, without the secrets that it does not need.

    `needed`: the beginnings of the names that it does need.
    """
    secret = ("PGCREDITS_", "STRIPE_")
    admins = {"PGCREDITS_DATABASE_URL"}
    admins |= {f"PGCREDITS_{reader}_URL" for reader in ("ANALYST", "ACCOUNTANT", "AUDITOR")}
    return {
        name: value
        for name, value in os.environ.items()
        if (not name.startswith(secret) or name.startswith(needed)) and name not in admins
    }


def end(process: subprocess.Popen[bytes], patience: float) -> None:
    """Ask a process to end. After `patience` seconds, kill it."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # stuck in the kernel: nothing ends it
            process.wait(_PATIENCE)


def _how(process: subprocess.Popen[bytes] | None) -> str | None:
    """How a process ended. None while it runs, or when it is not our child."""
    code = process.poll() if process else None
    if code is None:
        return None
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
