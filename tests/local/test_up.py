"""A whole `pgcredits up`: what it prints, what it keeps alive, how it ends."""

from __future__ import annotations

import json
import os
import pty
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from support import free_port

from pgcredits.local.memory import settings_for

pytestmark = pytest.mark.one_version

PGCREDITS = [sys.executable, "-m", "pgcredits.cli"]


def environment(**more: str) -> dict[str, str]:
    ours = ("STRIPE_", "PGCREDITS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | more


class Up:
    """A running `pgcredits up` on a folder."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.output = folder / "up.out"
        self.environ = environment(**environ)
        self.reader: threading.Thread | None = None
        self.ports = ["--port", str(self.port), "--simulator-port", str(free_port())]
        self.ports += ["--postgres-port", str(free_port())]
        self.process = self._at_a_terminal()

    @property
    def command_line(self) -> list[str]:
        return [*PGCREDITS, "up", "--data-dir", str(self.folder), *self.ports]

    def _at_a_terminal(self) -> subprocess.Popen[bytes]:
        master, slave = pty.openpty()
        self.output.touch()
        process = subprocess.Popen(
            self.command_line, env=self.environ, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self.reader = threading.Thread(target=copy, args=(master, self.output))
        self.reader.start()
        return process

    def _into_a_file(self) -> subprocess.Popen[bytes]:
        with self.output.open("wb") as output:
            return subprocess.Popen(
                self.command_line, env=self.environ, stdout=output, stderr=subprocess.STDOUT
            )

    def again(self) -> None:
        self.process = self._into_a_file()
        self.wait_for("pgcredits is ready")

    def wait_for(self, text: str, seconds: float = 60) -> None:
        wait(lambda: text in self.output.read_text(), f"{text!r} in {self.output}", seconds)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*PGCREDITS, *arguments, "--data-dir", str(self.folder)]
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=60)

    def variables(self) -> dict[str, str]:
        lines = self.command("env").stdout.splitlines()
        return {name: "".join(shlex.split(value)) for name, value in map(exported, lines)}

    def children(self) -> dict[str, int]:
        """Pids by command of what `up` has started."""
        ps = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True).stdout
        found = {}
        for pid, parent, *words in (line.split() for line in ps.splitlines()):
            if int(parent) == self.process.pid:
                name = next(
                    (word for word in ("serve", "stripe_simulator", "maintain", "work") if word in words),
                    "postgres",
                )
                found[name] = int(pid)
        return found

    def stop(self, signum: int = signal.SIGTERM) -> int:
        self.process.send_signal(signum)
        code = self.process.wait(60)
        if self.reader:
            self.reader.join(60)
        return code


def copy(terminal: int, output: Path) -> None:
    """What is printed at a terminal, into a file, as it comes."""
    with output.open("wb", buffering=0) as file:
        while True:
            try:
                data = os.read(terminal, 65536)
            except OSError:  # Linux says so when nobody has the other end open any more
                data = b""
            if not data:
                os.close(terminal)
                return
            file.write(data.replace(b"\r\n", b"\n"))


def wait(condition: Callable[[], Any], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=5).is_success
    except httpx.HTTPError:
        return False


def alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    folder = Path(tempfile.mkdtemp(prefix="pgcredits-up-"))
    running = Up(folder)
    try:
        running.wait_for("pgcredits is ready")
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder)


def test_printed_addresses_and_logins_work(up: Up) -> None:
    lines = up.output.read_text().splitlines()
    curl = next(line for line in lines if line.startswith("  curl "))
    token = next(line for line in lines if line.startswith("  export TOKEN="))
    done = subprocess.run(["sh", "-c", f"{token}; {curl} --silent"], capture_output=True, text=True)
    assert json.loads(done.stdout)[0]["user_id"] == "ada"
    logins = [line.split('"')[1] for line in lines if '"postgresql://' in line]
    users = ("pgcredits_api", "pgcredits_analyst", "pgcredits_accountant", "pgcredits_auditor")
    for url, user in zip(logins, users, strict=True):
        with psycopg.connect(url) as connection:
            assert connection.execute("select session_user").fetchone() == (user,)
    for name in ("api", "simulator", "postgres"):
        assert (up.folder / f"{name}.log").exists()


def test_printed_variables_work(up: Up) -> None:
    variables = up.variables()
    assert list(variables) == [
        "PGCREDITS_URL",
        "SERVICE_TOKEN",
        "SPENDER_TOKEN",
        "USER_TOKEN",
        "USER_URL",
        "ANALYST_URL",
        "ACCOUNTANT_URL",
        "AUDITOR_URL",
        "API_DATABASE_URL",
        "SERVICE_DATABASE_URL",
        "SIMULATOR_URL",
    ]
    service = {"Authorization": f"Bearer {variables['SERVICE_TOKEN']}"}
    granted = httpx.post(
        f"{variables['PGCREDITS_URL']}/rest/v1/rpc/add_tokens",
        json={"user_id": "ada", "tokens": 7},
        headers=service,
    )
    assert granted.is_success, granted.text
    with psycopg.connect(variables["USER_URL"]) as connection:
        assert connection.execute("select balance from api.balance").fetchone() == (7,)
    assert superuser_of(up) not in variables.values(), "env exports no superuser unless it is asked to"
    with psycopg.connect(superuser_of(up)) as connection:
        assert connection.execute("select current_database()").fetchone() == ("pgcredits",)
        told = connection.execute("select name from pg_settings where source = 'command line'").fetchall()
        assert {name for (name,) in told} >= settings_for(up.folder).keys()


def test_other_commands_find_a_running_up(up: Up) -> None:
    for command in (["audit"], ["migrate"], ["catalog", "apply", "appforge", "--add"]):
        done = up.command(*command)
        assert done.returncode == 0, done.stdout + done.stderr


def test_second_up_is_refused(up: Up) -> None:
    done = up.command("up")
    assert done.returncode == 1
    assert "already runs on" in done.stderr


def test_busy_port_is_refused(up: Up, tmp_path: Path) -> None:
    command = [*PGCREDITS, "up", "--data-dir", str(tmp_path / "other"), "--port", str(up.port)]
    done = subprocess.run(command, env=up.environ, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        1,
        f"Error: port {up.port} is taken: choose another with --port, or other ports for everything with"
        " --port 9000 (make up PORT=9000)\n",
    )


@pytest.mark.parametrize(
    ("child", "message"),
    [
        ("serve", "API"),
        ("stripe_simulator", "Stripe simulator"),
        ("maintain", "maintenance"),
        ("work", "worker"),
        ("postgres", "PostgreSQL"),
    ],
)
def test_killed_program_comes_back(up: Up, child: str, message: str) -> None:
    before = up.children()
    os.kill(before[child], signal.SIGKILL)
    up.wait_for(f"{message} was ended by SIGKILL: starting it again")
    wait(lambda: up.children().get(child, before[child]) != before[child], f"another {child}")
    wait(lambda: answers(f"http://127.0.0.1:{up.port}"), "the API answers")
    after = up.children()
    assert {name for name in after if after[name] != before[name]} == {child}
    assert up.command("audit").returncode == 0


def test_up_stops_in_order_and_keeps_the_data(up: Up) -> None:
    with psycopg.connect(superuser_of(up)) as connection:
        connection.execute("create table kept as select 1 as one")
    children = up.children()
    assert set(children) == {"postgres", "serve", "stripe_simulator", "maintain", "work"}
    assert up.stop(signal.SIGINT) == 0
    assert not any(alive(pid) for pid in children.values())
    assert up.output.read_text().endswith("stopped\n")
    assert (up.folder / "postgres.log").read_text().endswith("database system is shut down\n")
    assert up.command("env").returncode == 1
    up.environ["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/another"  # of another program: not for us
    up.again()
    with psycopg.connect(superuser_of(up)) as connection:
        assert connection.execute("select one from kept").fetchone() == (1,)


def test_nothing_secret_goes_into_a_file_or_is_readable_by_others(up: Up) -> None:
    printed = up.output.read_text()
    assert "pgcredits is ready" in printed
    secrets = json.loads((up.folder / "secrets.json").read_text())
    for secret in (secrets["jwt_secret"], secrets["postgres_password"], *secrets["logins"].values(), "eyJ"):
        assert secret not in printed
    own = [path for path in up.folder.rglob("*") if path != up.output]
    assert {"api.log", "bank.json", "postgres.log", "run.json", "secrets.json", "up.lock"} <= {
        path.name for path in own
    }
    # PostgreSQL's socket lets everybody in who has the password, and stands in a folder that lets nobody in.
    readable = {path for path in own if path.lstat().st_mode & 0o077 and not path.is_socket()}
    assert readable == set()
    assert up.folder.stat().st_mode & 0o076 == 0
    for log in up.folder.glob("*.log"):
        for secret in secrets_of(up):
            assert secret not in log.read_text(errors="replace"), log


def secrets_of(up: Up) -> list[str]:
    kept = json.loads((up.folder / "secrets.json").read_text())
    names = ("jwt_secret", "webhook_secret", "postgres_password")
    return [*(kept[name] for name in names), *kept["logins"].values()]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_program_shows_a_secret_or_has_one_that_it_does_not_need(up: Up) -> None:
    """Everybody can see arguments. Only the user sees the environment, but it goes into crash reports."""
    kept = json.loads((up.folder / "secrets.json").read_text())
    children = up.children()
    assert set(children) == {"postgres", "serve", "stripe_simulator", "maintain", "work"}
    for name, pid in children.items():
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        environ = Path(f"/proc/{pid}/environ").read_bytes()
        for secret in secrets_of(up):
            assert secret.encode() not in arguments, name
        assert kept["postgres_password"].encode() not in environ, name
        needs = {
            "postgres": set(),
            "serve": {"jwt_secret", "webhook_secret", "pgcredits_api", "pgcredits_service"},
            "stripe_simulator": {"webhook_secret"},
            "maintain": {"pgcredits_service"},
            "work": {"pgcredits_service"},
        }[name]
        known = {**kept, **kept["logins"]}
        has = {what for what, value in known.items() if isinstance(value, str) and value.encode() in environ}
        assert has == needs, name


def exported(line: str) -> tuple[str, str]:
    """A line of `pgcredits env`."""
    name, value = line.removeprefix("export ").split("=", 1)
    return name, "".join(shlex.split(value))


def superuser_of(up: Up) -> str:
    line = next(line for line in up.command("env", "--admin").stdout.splitlines() if "ADMIN_" in line)
    return exported(line)[1]


def test_killed_up_leaves_a_postgres_that_is_used_again(up: Up) -> None:
    children = up.children()
    up.stop(signal.SIGKILL)
    programs = {"serve", "stripe_simulator", "maintain", "work"}
    wait(lambda: not any(alive(children[name]) for name in programs), "they end too")
    assert alive(children["postgres"])
    up.again()
    assert set(up.children()) == programs
    assert up.command("audit").returncode == 0
    with socket.create_connection(("127.0.0.1", up.port)):
        pass
