"""The demonstration on a real `up`: undisturbed, and with kill -9 of the API and of the postmaster."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from demo.demonstration import REPOSITORY, database, line_of, price_of, start_demo

from pgcredits.demo import DemoError
from pgcredits.demo.trace import SLICE, read_trace

pytestmark = pytest.mark.one_version


def _spends(data_dir: Path) -> int:
    try:
        with psycopg.connect(database(data_dir), connect_timeout=3) as connection:
            row = connection.execute("select count(*) from credits.entries where kind = 'spend'").fetchone()
            return int(row[0]) if row else 0
    except psycopg.OperationalError:  # killed a moment ago
        return -1


def _spent(data_dir: Path) -> Decimal:
    with psycopg.connect(database(data_dir)) as connection:
        row = connection.execute("select -sum(tokens) from credits.entries where kind = 'spend'").fetchone()
        return (row and row[0]) or Decimal(0)


def _wait_for_spends(data_dir: Path, count: int, demo: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 90
    while _spends(data_dir) < count:
        assert demo.poll() is None, demo.stdout.read() if demo.stdout else ""
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _api_pid(data_dir: Path) -> int:
    """The child of `up` that serves the API."""
    up = json.loads((data_dir / "run.json").read_text())["pid"]
    children = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(up)], capture_output=True, text=True, check=True
    )
    return next(int(line.split()[0]) for line in children.stdout.splitlines() if " serve " in line)


@pytest.mark.long
def test_a_demo_without_an_up_starts_its_own_and_keeps_its_files_private(
    trace: Path, tmp_path: Path, data_dir: Path
) -> None:
    """Another `up` runs, on another folder. The shell's umask lets everybody read."""
    short = tmp_path / "short.csv"
    short.write_text("".join(trace.open().readlines()[:21]))
    home = Path(tempfile.mkdtemp(prefix="pgcredits-demo-"))
    folder = home / "data"
    before = os.umask(0)
    try:
        demo = start_demo(folder, short)
    finally:
        os.umask(before)
    try:
        output, _ = demo.communicate(timeout=180)
        assert demo.returncode == 0, output
        assert "the books close: no finding" in output
        assert not (folder / "postgres" / "postmaster.pid").exists(), "its PostgreSQL was stopped"
        own = list(folder.rglob("*"))
        assert {"up.log", "api.log", "simulator.sqlite3", "secrets.json"} <= {path.name for path in own}
        assert {path for path in own if path.lstat().st_mode & 0o077} == set()
        assert folder.stat().st_mode & 0o076 == 0
        kept = json.loads((folder / "secrets.json").read_text())
        for secret in (
            kept["jwt_secret"],
            kept["webhook_secret"],
            kept["postgres_password"],
            *kept["logins"].values(),
        ):
            for text in (output, *(log.read_text(errors="replace") for log in folder.glob("*.log"))):
                assert secret not in text
                assert "eyJ" not in text  # how every token begins
    finally:
        shutil.rmtree(home)


def test_the_demo_ends_with_sound_books(data_dir: Path, trace: Path) -> None:
    before, spent = _spends(data_dir), _spent(data_dir)
    demo = start_demo(data_dir, trace)
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, output
    assert "the books close: no finding" in output
    assert _spends(data_dir) - before == 404
    assert "40 EUR" in line_of(output, "given at sign-up")
    # Each of the four runs dry once: of the welcome 8.33 cents are left for the trace.
    assert "4 top-ups, 20 EUR" in output
    assert " insufficient_tokens" in line_of(output, "refusals")
    assert _spent(data_dir) - spent == price_of(trace) + 4 * REPOSITORY


@pytest.mark.long
def test_kill_of_the_api_and_of_the_postmaster_loses_and_doubles_nothing(data_dir: Path, trace: Path) -> None:
    before = _spends(data_dir)
    demo = start_demo(data_dir, trace)
    _wait_for_spends(data_dir, before + 60, demo)
    os.kill(_api_pid(data_dir), signal.SIGKILL)
    _wait_for_spends(data_dir, before + 160, demo)
    postmaster = int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    output, _ = demo.communicate(timeout=180)
    assert demo.returncode == 0, output
    assert "the books close: no finding" in output
    assert "sent again" in output
    assert "│ 0 " not in line_of(output, "sent again"), output
    assert _spends(data_dir) - before == 404


def test_requests_are_shared_out_unevenly() -> None:
    requests, users = read_trace(SLICE, 4)
    counts = [sum(request.user == user for request in requests) for user in range(users)]
    assert [round(counts[0] / count) for count in counts] == [1, 2, 3, 4]
    assert requests[0].usage == {"input_tokens": 4808, "output_tokens": 10}


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "ContextTokens,GeneratedTokens\n1,x\n", "ContextTokens,GeneratedTokens\n"]
)
def test_file_without_a_trace_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(DemoError, match=r"trace\.csv"):
        read_trace(path, None)
