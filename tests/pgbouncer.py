"""A real PgBouncer in transaction mode, before PostgreSQL. It can be killed, frozen and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from support import free_port

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
MISSING = "PgBouncer is not installed (Debian: apt-get install pgbouncer)"
_SECONDS = 10  # until it answers


class PgBouncer:
    """Pools the connections of some logins to one database. `url` is one of theirs, with their password.

    `users`: an auth_file with hashes, instead of the passwords of the logins.
    """

    def __init__(self, url: str, logins: Sequence[str], pool_size: int, users: str | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pgcredits-pooler-"))
        self.port = free_port()
        self.to = conninfo_to_dict(url)
        self._configure(logins, pool_size, users)
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def through(self, url: str) -> str:
        """A URL of the database, with the pooler in between."""
        return make_conninfo(url, host="127.0.0.1", port=self.port)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert PROGRAM is not None
        command = [PROGRAM, str(self.folder / "pgbouncer.ini")]
        if os.geteuid() == 0:  # it refuses to run as root
            command[1:1] = ["-u", "nobody"]
            for path in (self.folder, *self.folder.iterdir()):
                shutil.chown(path, "nobody")
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _SECONDS
        url, log = self.through(make_conninfo("", **self.to)), self.folder / "pgbouncer.log"
        while True:
            try:
                psycopg.connect(url, connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                said = log.read_text() if log.exists() else ""
                assert self.process.poll() is None and time.monotonic() < deadline, f"{error}\n{said}"
                time.sleep(0.05)

    def kill(self) -> None:
        """kill -9. What it had in its hands is lost."""
        self.process.kill()
        self.process.wait(10)

    def freeze(self) -> None:
        """Let it do nothing any more, and keep its connections."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        if hasattr(self, "process"):
            self.kill()
        shutil.rmtree(self.folder)

    def _configure(self, logins: Sequence[str], pool_size: int, users: str | None) -> None:
        to = self.to
        passwords = "\n".join(f'"{login}" "{to["password"]}"' for login in logins)
        (self.folder / "users.txt").write_text(users or passwords)
        password = "" if users else f" password='{to['password']}'"
        lines = [
            "[databases]",
            f"{to['dbname']} = host={to['host']} port={to['port']}{password}",
            "[pgbouncer]",
            "listen_addr = 127.0.0.1",
            f"listen_port = {self.port}",
            "unix_socket_dir =",
            f"auth_type = {'scram-sha-256' if users else 'plain'}",
            f"auth_file = {self.folder}/users.txt",
            f"logfile = {self.folder}/pgbouncer.log",
            "pool_mode = transaction",
            f"default_pool_size = {pool_size}",
            "server_login_retry = 1",  # seconds, after PostgreSQL could not be reached
        ]
        (self.folder / "pgbouncer.ini").write_text("\n".join(lines))
