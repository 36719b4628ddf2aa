"""`pgcredits up`: PostgreSQL, API and Stripe simulator, started in order, kept running, stopped in order."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from pgcredits.bank import admin
from pgcredits.bank.catalogs import applied_catalogs, apply_catalog, find_catalog, list_catalogs
from pgcredits.bank.migrate import Options as MigrateOptions
from pgcredits.bank.migrate import migrate
from pgcredits.http.origins import LOCAL
from pgcredits.local import embedded, logins, ownership, welcome
from pgcredits.local.instance import Instance, InstanceError, Running, Secrets
from pgcredits.local.ports import free_ports, port_is_free
from pgcredits.settings import is_live, stripe_key, stripe_prices

DATABASE = "pgcredits"
_PROGRAM = (sys.executable, "-P", "-m", "pgcredits.cli")  # -P: nothing is imported from where we stand
SUPERVISED = "PGCREDITS_SUPERVISED"  # tells a child to end with us, see cli.py
_READY = 60.0  # seconds until the API must answer
_PATIENCE = 15.0  # seconds for a child to end by itself
_LONGEST_STOP = 300.0  # seconds for a whole `up` to end by itself, with PostgreSQL in order
_MAINTAINED_EVERY = 60  # seconds
_LONGEST_PAUSE = 10.0  # seconds between two starts of a child that keeps ending
Say = Callable[[str], None]


class UpError(RuntimeError):
    """Something could not be started; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    data_dir: Path
    port: int
    simulator_port: int
    postgres_port: int
    catalog: str | None  # None: what the database has, else iahome
    database_url: str | None = field(repr=False)  # None: the embedded server
    subject: str = "ada"  # whose token and psql line are printed
    adopt: bool = False  # take over a bank that another folder set up
    secrets_shown: bool = True  # False: what is printed goes to a file, or to another program


def up(options: Options, say: Say = print) -> None:
    """Start everything, say where it is, and keep it running until SIGINT or SIGTERM.

    Raises UpError, EmbeddedError, InstanceError, LoginError, MigrationError, OwnershipError, SettingsError
    and psycopg.OperationalError.
    """
    instance = Instance(options.data_dir)
    with (
        contextlib.suppress(KeyboardInterrupt),
        _interrupted_by_sigterm(),
        instance.held(),
        ExitStack() as stack,
    ):
        _supervise(_start(instance, options, stack, say), say)
    say("stopped")


@contextmanager
def running_up(data_dir: Path, say: Say = print) -> Iterator[Running]:
    """The `up` of a data folder: the one that runs, else one of our own until the block ends.

    Raises UpError.
    """
    instance = Instance(data_dir)
    with contextlib.suppress(InstanceError):
        yield instance.running()
        return
    say(f"starting pgcredits in {data_dir} for as long as this takes")
    data_dir.mkdir(parents=True, exist_ok=True)
    log = data_dir / "up.log"
    ports = dict(zip(("--port", "--simulator-port", "--postgres-port"), map(str, free_ports(3)), strict=True))
    words = [word for pair in ports.items() for word in pair]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_PROGRAM, "up", "--data-dir", data_dir, *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        while True:
            if process.poll() is not None:
                raise UpError(f"pgcredits could not be started ({log}):\n{_tail(log)}")
            with contextlib.suppress(InstanceError):
                running = instance.running()
                break
            time.sleep(0.1)
        yield running
    finally:
        _end(process, _LONGEST_STOP)


class Part(Protocol):
    """Something that runs until it is stopped, and should."""

    name: str

    @property
    def log(self) -> Path: ...
    def start(self) -> None: ...
    def ended(self) -> str | None: ...  # how, or None while it runs
    def stop(self) -> None: ...


@dataclass
class Program:
    """A child process, told to end when our end of its stdin closes: kill -9 of us leaves no orphan."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*_PROGRAM, *self.arguments],
                env={**self.environment, SUPERVISED: "1", "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def ended(self) -> str | None:
        return _how(self.process)

    def stop(self) -> None:
        if self.process is not None:
            _end(self.process, _PATIENCE)


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
        self.server = embedded.start(self.data_dir, self.port, self.password, say=self.say)
        self.port = self.server.port

    def url(self) -> str:
        """The superuser on our database, which is made when missing."""
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


def _end(process: subprocess.Popen[bytes], patience: float) -> None:
    """Ask it to end; after so many seconds, make it."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # stuck in the kernel: nothing ends it
            process.wait(_PATIENCE)


def _how(process: subprocess.Popen[bytes] | None) -> str | None:
    """How a process ended; None while it runs, or when it is not our child."""
    code = process.poll() if process else None
    if code is None:
        return None
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _start(instance: Instance, options: Options, stack: ExitStack, say: Say) -> list[Part]:
    """Start the parts, each registered in `stack` to be stopped in reverse, and print where they are."""
    key = stripe_key()
    simulated = key is None
    for port, option in ((options.port, "--port"), (options.simulator_port, "--simulator-port"))[
        : 1 + simulated
    ]:
        if not port_is_free(port):
            raise UpError(f"port {port} is taken: choose another with {option}")
    if options.catalog:
        find_catalog(options.catalog)
    prices = stripe_prices()
    secrets = instance.ensure_secrets()
    parts: list[Part] = []

    def run(part: Part) -> None:
        stack.callback(part.stop)
        part.start()
        parts.append(part)

    admin_url = options.database_url
    if admin_url is None:
        database = Database(instance.folder, options.postgres_port, secrets.postgres_password, say)
        run(database)
        admin_url = database.url()
    urls = _bring_up_to_date(instance, options, admin_url, secrets, key, prices, say)
    running = Running(
        pid=os.getpid(),
        api_url=os.environ.get("PGCREDITS_PUBLIC_URL") or f"http://127.0.0.1:{options.port}",
        simulator_url=f"http://127.0.0.1:{options.simulator_port}" if simulated else None,
        jwt_secret=os.environ.get("PGCREDITS_JWT_SECRET") or secrets.jwt_secret,
        jwt_audience=os.environ.get("PGCREDITS_JWT_AUDIENCE") or None,
        database_url=admin_url,
        **urls,
    )
    if simulated:
        run(_simulator(instance.folder, options, secrets))
    api = _api(instance.folder, options, secrets, running)
    run(api)
    _wait_until_ready(options.port, parts)
    run(_maintenance(instance.folder, running))
    instance.publish(running)
    say(welcome.text(instance, running, options.data_dir, options.subject, secrets=options.secrets_shown))
    return parts


def _bring_up_to_date(
    instance: Instance,
    options: Options,
    admin_url: str,
    secrets: Secrets,
    key: str | None,
    prices: Mapping[str, str],
    say: Say,
) -> dict[str, str]:
    """Migrate the bank and apply its price list, if it is ours; returns the URLs of its logins.

    `key` is Stripe's; None with the simulator.
    """
    with admin.connect(admin_url, "pgcredits up", autocommit=True) as connection:
        bank = ownership.look(connection)
        embedded_server = options.database_url is None
        if not embedded_server:
            say(f"using the PostgreSQL at {bank.where}")
        ownership.check(
            bank,
            instance.folder,
            adopt=options.adopt,
            embedded=embedded_server,
            simulated=key is None,
            live=is_live(key),
        )
        before = logins.existing(connection)
    # The embedded server's database is the bank's own; one that was given may have neighbours.
    migrate(admin_url, say=say, options=MigrateOptions(harden=embedded_server))
    catalog = _catalog(admin_url, options.catalog)
    if catalog:
        apply_catalog(admin_url, catalog, stripe_prices=prices, say=say)
    elif prices:
        say("PGCREDITS_STRIPE_PRICES is not used here, but by `pgcredits catalog apply` of each catalogue")
    with admin.connect(admin_url, "pgcredits up", autocommit=True) as connection:
        ownership.record(connection, instance.folder)
        urls = logins.urls(connection, admin_url, secrets.logins, os.environ, before)
        with connection.transaction():  # made-up time goes with made-up money, and with no other
            connection.execute("set local role credits_owner")
            connection.execute("select credits.allow_test_clocks(%s)", (key is None,))
            connection.execute("select credits.accept_stripe_livemode(%s)", (is_live(key),))
    return urls


def _catalog(admin_url: str, wanted: str | None) -> str | None:
    """The price list to apply. A bank counts in one unit: another one is added by hand or not at all."""
    present = applied_catalogs(admin_url)
    if wanted in list_catalogs() and present and wanted not in present:
        raise UpError(
            f"this bank has the catalogue {', '.join(present)}: choose another data folder for {wanted}, "
            f"or add it to this one with `pgcredits catalog apply {wanted}`"
        )
    if wanted or not present:
        return wanted or "iahome"
    return present[0] if len(present) == 1 and present[0] in list_catalogs() else None


def _environment(*needed: str) -> dict[str, str]:
    """Ours for a child, without secrets that it has no use for. `needed`: how names that it needs begin."""
    secret = ("PGCREDITS_", "STRIPE_")
    admins = ("PGCREDITS_DATABASE_URL", "PGCREDITS_ANALYST_URL", "PGCREDITS_AUDITOR_URL")
    return {
        name: value
        for name, value in os.environ.items()
        if (not name.startswith(secret) or name.startswith(needed)) and name not in admins
    }


def _simulator(folder: Path, options: Options, secrets: Secrets) -> Program:
    arguments = {
        "--port": str(options.simulator_port),
        "--data-dir": str(folder),
        "--webhook-url": f"http://127.0.0.1:{options.port}/webhooks/stripe",
    }
    words = [word for pair in arguments.items() for word in pair]
    environment = {**_environment(), "STRIPE_WEBHOOK_SECRET": secrets.webhook_secret}  # not for `ps` to see
    return Program("Stripe simulator", ["simulator", *words], environment, folder / "simulator.log")


def _api(folder: Path, options: Options, secrets: Secrets, running: Running) -> Program:
    environment = {
        **_environment("PGCREDITS_", "STRIPE_"),
        "PGCREDITS_API_DATABASE_URL": running.api_database_url,
        "PGCREDITS_SERVICE_DATABASE_URL": running.service_database_url,
        "PGCREDITS_JWT_SECRET": running.jwt_secret,
        "PGCREDITS_PUBLIC_URL": running.api_url,
    }
    # A frontend under development is a page of this machine, on a port of its own.
    environment.setdefault("PGCREDITS_CORS_ORIGINS", LOCAL)
    environment.setdefault("PGCREDITS_RETURN_ORIGINS", LOCAL)
    if running.simulator_url:
        environment |= {
            "STRIPE_SECRET_KEY": "sk_test_simulator",
            "STRIPE_WEBHOOK_SECRET": secrets.webhook_secret,
            "STRIPE_API_BASE": running.simulator_url,
        }
    return Program("API", ["serve", "--port", str(options.port)], environment, folder / "api.log")


def _maintenance(folder: Path, running: Running) -> Program:
    environment = {**_environment(), "PGCREDITS_DATABASE_URL": running.service_database_url}
    arguments = ["maintain", "--every", str(_MAINTAINED_EVERY)]
    return Program("maintenance", arguments, environment, folder / "maintenance.log")


def _wait_until_ready(port: int, parts: Sequence[Part]) -> None:
    deadline = time.monotonic() + _READY
    while True:
        for part in parts:
            if how := part.ended():
                raise UpError(f"{part.name} {how} ({part.log}):\n{_tail(part.log)}")
        answer = "no answer"
        try:
            response = httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=5, trust_env=False)
            if response.is_success:
                return
            answer = response.text
        except httpx.HTTPError as error:
            answer = str(error)
        if time.monotonic() > deadline:
            raise UpError(f"the API is not ready after {_READY:.0f} s: {answer} ({parts[-1].log})")
        time.sleep(0.05)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def _supervise(parts: Sequence[Part], say: Say) -> None:
    """Start again whatever ends, at once at first, then with a pause that doubles. Never returns."""
    started = dict.fromkeys((part.name for part in parts), time.monotonic())
    pause = dict.fromkeys(started, 0.0)
    while True:
        time.sleep(0.2)
        for part in parts:
            how, lived = part.ended(), time.monotonic() - started[part.name]
            if how is None or lived < pause[part.name]:
                continue
            pause[part.name] = (
                0.0 if lived > 2 * _LONGEST_PAUSE else min(2 * pause[part.name] + 0.5, _LONGEST_PAUSE)
            )
            say(f"{part.name} {how}: starting it again ({part.log})")
            try:
                part.start()
            except (embedded.EmbeddedError, OSError) as error:
                say(str(error))
            started[part.name] = time.monotonic()


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """SIGTERM acts like Ctrl-C."""

    def interrupt(signum: int, frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # one is enough: what follows is stopping in order
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
