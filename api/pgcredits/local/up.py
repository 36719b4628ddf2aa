"""`pgcredits up`: start PostgreSQL, the Stripe simulator and the HTTP API, keep them running, stop them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pgcredits.local import parts, prepare, welcome
from pgcredits.local.instance import Instance, InstanceError, Running, Secrets
from pgcredits.local.options import Options, Say, UpError
from pgcredits.local.parts import Part
from pgcredits.local.ports import free_ports, port_is_free
from pgcredits.local.prepare import Payments
from pgcredits.local.supervise import interrupted_by_sigterm, supervise, tail, wait_until_ready

_LONGEST_STOP = 300.0  # seconds for a whole `up` to end by itself, with PostgreSQL in order


def up(options: Options, say: Say = print) -> None:
    """Start everything, say where it is, and keep it running until SIGINT or SIGTERM.

    Raises UpError, EmbeddedError, InstanceError, LoginError, MigrationError, OwnershipError, SettingsError
    and psycopg.OperationalError.
    """
    instance = Instance(options.data_dir)
    with (
        contextlib.suppress(KeyboardInterrupt),
        interrupted_by_sigterm(),
        instance.held(),
        ExitStack() as stack,
    ):
        supervise(_start(instance, options, stack, say), say)
    say("stopped")


@contextmanager
def running_up(data_dir: Path, say: Say = print) -> Iterator[Running]:
    """The `up` of a data folder. When none runs, start one and stop it after the block.

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
            [*parts.PGCREDITS, "up", "--data-dir", data_dir, *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        while True:
            if process.poll() is not None:
                raise UpError(f"pgcredits could not be started ({log}):\n{tail(log)}")
            with contextlib.suppress(InstanceError):
                running = instance.running()
                break
            time.sleep(0.1)
        yield running
    finally:
        parts.end(process, _LONGEST_STOP)


def _start(instance: Instance, options: Options, stack: ExitStack, say: Say) -> list[Part]:
    """Start the parts in order, and print where they are. `stack` stops them in reverse."""
    payments = Payments.from_env()
    _check_ports(options, payments)
    prepare.check_catalog(options.catalog)
    secrets = instance.ensure_secrets()
    started: list[Part] = []

    def run(part: Part) -> None:
        stack.callback(part.stop)
        part.start()
        started.append(part)

    admin_url = options.database_url
    if admin_url is None:
        database = parts.Database(instance.folder, options.postgres_port, secrets.postgres_password, say)
        run(database)
        admin_url = database.url()
    urls = prepare.bring_up_to_date(instance, options, admin_url, secrets, payments, say)
    running = _running(options, secrets, payments, admin_url, urls)
    if payments.simulated:
        run(parts.simulator(instance.folder, options, secrets))
    run(parts.api(instance.folder, options, secrets, running))
    wait_until_ready(options.port, started)
    run(parts.maintenance(instance.folder, running))
    run(parts.worker(instance.folder, running))
    instance.publish(running)
    say(welcome.text(instance, running, options.data_dir, options.subject, secrets=options.secrets_shown))
    return started


def _check_ports(options: Options, payments: Payments) -> None:
    needed = {"--port": options.port}
    if payments.simulated:
        needed["--simulator-port"] = options.simulator_port
    for option, port in needed.items():
        if not port_is_free(port):
            raise UpError(
                f"port {port} is taken: choose another with {option}, or other ports for everything with"
                " --port 9000 (make up PORT=9000)"
            )


def _running(
    options: Options, secrets: Secrets, payments: Payments, admin_url: str, urls: Mapping[str, str]
) -> Running:
    """Where everything listens, for the other commands to find."""
    simulator_url = f"http://127.0.0.1:{options.simulator_port}" if payments.simulated else None
    return Running(
        pid=os.getpid(),
        api_url=os.environ.get("PGCREDITS_PUBLIC_URL") or f"http://127.0.0.1:{options.port}",
        simulator_url=simulator_url,
        jwt_secret=os.environ.get("PGCREDITS_JWT_SECRET") or secrets.jwt_secret,
        jwt_audience=os.environ.get("PGCREDITS_JWT_AUDIENCE") or None,
        database_url=admin_url,
        **urls,
    )
