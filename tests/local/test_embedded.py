"""The embedded server: data kept, killed, re-used, refused."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from support import free_port

from pgcredits.local import embedded
from pgcredits.local.embedded import Server

pytestmark = pytest.mark.one_version

PASSWORD = "it's secret/ä%"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One data folder for all tests here. Each test begins with its server stopped."""
    path = Path(tempfile.mkdtemp(prefix="pgcredits-embedded-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def start(folder: Path, bin_dir: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(port: int | None = None, password: str = PASSWORD) -> Server:
        server = embedded.start(folder, port or free_port(), password, bin_dir, say=lambda text: None)
        servers.append(server)
        return server

    yield start
    for server in servers:
        if server.alive():
            embedded.stop(server)


def test_data_are_kept_between_runs(start: Callable[..., Server]) -> None:
    first = start()
    with psycopg.connect(first.url()) as connection:
        connection.execute("create table kept as select 'ä' as word")
    embedded.stop(first)
    assert not first.alive()
    with psycopg.connect(start().url()) as connection:
        assert connection.execute("select word, upper(word) from kept").fetchone() == ("ä", "Ä")


def test_server_is_durable_and_asks_for_a_password(start: Callable[..., Server]) -> None:
    server = start()
    with psycopg.connect(server.url()) as connection:
        settings = connection.execute(
            "select current_setting('fsync'), current_setting('full_page_writes'),"
            " current_setting('synchronous_commit'), current_setting('listen_addresses'),"
            " current_setting('server_encoding')"
        ).fetchone()
    assert settings == ("on", "on", "on", "127.0.0.1", "UTF8")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(server.url().replace("secret", "guess"))
    assert server.pgdata.stat().st_mode & 0o077 == 0
    socket_path = server.pgdata / f".s.PGSQL.{server.port}"
    assert socket_path.exists()
    if os.geteuid() == 0:
        assert server.pgdata.stat().st_uid != 0


def test_a_running_server_is_used_as_it_is(start: Callable[..., Server]) -> None:
    first = start()
    second = start(port=free_port())
    assert (second.pid, second.port) == (first.pid, first.port)
    with pytest.raises(embedded.EmbeddedError, match=r"does not accept the password of secrets\.json"):
        start(password="another")
    assert first.alive()


def test_server_recovers_from_a_kill(start: Callable[..., Server]) -> None:
    """Sessions are open, and their processes outlive the postmaster for a moment."""
    first = start()
    sessions = [psycopg.connect(first.url(), autocommit=True) for _ in range(5)]
    sessions[0].execute("create table survived (a int)")
    os.kill(first.pid, signal.SIGKILL)
    second = start(port=first.port)
    assert second.pid != first.pid
    with psycopg.connect(second.url()) as connection:
        connection.execute("select a from survived")
    for session in sessions:
        session.close()


def test_stale_pid_of_another_program_is_ignored(start: Callable[..., Server], folder: Path) -> None:
    server = start()
    os.kill(server.pid, signal.SIGKILL)
    while server.alive():
        time.sleep(0.01)
    pid_file = folder / "postgres/postmaster.pid"
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        pid_file.write_text(pid_file.read_text().replace(str(server.pid), str(sleeper.pid), 1))
        assert start().pid != sleeper.pid
        sleeper.kill()


def test_busy_port_is_refused(start: Callable[..., Server]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(embedded.EmbeddedError) as refusal:
        start(port=taken.getsockname()[1])
    assert "is taken: choose another with --postgres-port" in str(refusal.value)


def test_other_major_version_is_refused(start: Callable[..., Server], folder: Path, bin_dir: Path) -> None:
    embedded.stop(start())
    version = folder / "postgres/PG_VERSION"
    own = version.read_text()
    version.write_text("12\n")
    try:
        with pytest.raises(embedded.EmbeddedError, match="was made by PostgreSQL 12, this is 1"):
            start()
    finally:
        version.write_text(own)


def test_a_half_made_folder_is_made_again(tmp_path: Path, bin_dir: Path) -> None:
    (tmp_path / "postgres.new/base").mkdir(parents=True)
    server = embedded.start(tmp_path, free_port(), PASSWORD, bin_dir, say=lambda text: None)
    embedded.stop(server)
    assert not (tmp_path / "postgres.new").exists()


def test_a_start_that_fails_shows_the_log(tmp_path: Path, bin_dir: Path) -> None:
    with pytest.raises(embedded.EmbeddedError, match="shared_buffers"):
        embedded.start(
            tmp_path, free_port(), PASSWORD, bin_dir, {"shared_buffers": "nonsense"}, say=lambda text: None
        )


def test_missing_build_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(embedded.EmbeddedUnavailable, match=r"is not installed.*set PGCREDITS_DATABASE_URL"):
        embedded.find_binaries()


def test_a_build_without_this_version_is_not_called_missing() -> None:
    with pytest.raises(embedded.EmbeddedUnavailable, match="no version 99 for this platform"):
        embedded.find_binaries(99)
