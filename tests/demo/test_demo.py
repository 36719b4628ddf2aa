"""The demonstration on a real `up`: undisturbed, and with kill -9 of the API and of the postmaster."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from support import free_port

from pgcredits.demo import DemoError
from pgcredits.demo.trace import SLICE, read_trace

_PGCREDITS = [sys.executable, "-m", "pgcredits.cli"]


@pytest.fixture(scope="module")
def data_dir(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a running `up` with the catalogue appforge."""
    if request.config.getoption("--pg") != 18:
        pytest.skip("`up` starts the embedded PostgreSQL 18 only")
    folder = tmp_path_factory.mktemp("demo") / "data"
    ports = [str(free_port()) for _ in range(3)]
    names = ("--port", "--simulator-port", "--postgres-port")
    options = [word for pair in zip(names, ports, strict=True) for word in pair]
    log = folder.with_suffix(".log")
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("STRIPE", "DATABASE"))
    }
    with log.open("wb") as output:
        up = subprocess.Popen(
            [*_PGCREDITS, "up", "--data-dir", str(folder), "--catalog", "appforge", *options],
            stdout=output,
            stderr=output,
            env=environment,
        )
    try:
        deadline = time.monotonic() + 90
        while "is ready" not in log.read_text():
            assert up.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield folder
    finally:
        up.terminate()
        up.wait(60)


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 400 requests, on four users."""
    path = tmp_path_factory.mktemp("trace") / "trace.csv"
    path.write_text("".join(SLICE.open().readlines()[:401]))
    return path


def _demo(data_dir: Path, trace: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*_PGCREDITS, "demo", "--data-dir", str(data_dir), "--trace", str(trace), "--users", "4"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )


def _database(data_dir: Path) -> str:
    return str(json.loads((data_dir / "run.json").read_text())["database_url"])


def _spends(data_dir: Path) -> int:
    try:
        with psycopg.connect(_database(data_dir), connect_timeout=3) as connection:
            row = connection.execute("select count(*) from credits.entries where kind = 'spend'").fetchone()
            return int(row[0]) if row else 0
    except psycopg.OperationalError:  # killed a moment ago
        return -1


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


def test_the_demo_ends_with_sound_books(data_dir: Path, trace: Path) -> None:
    before = _spends(data_dir)
    demo = _demo(data_dir, trace)
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, output
    assert "the books close: no finding" in output
    assert _spends(data_dir) - before == 404
    assert "40 EUR" in next(line for line in output.splitlines() if "given at sign-up" in line)
    # Each of the four runs dry once: of the welcome 8.33 cents are left for the trace.
    assert "4 top-ups, 20 EUR" in output
    assert " insufficient_tokens" in next(line for line in output.splitlines() if "refusals" in line)
    with psycopg.connect(_database(data_dir)) as connection:
        row = connection.execute("select -sum(tokens) from credits.entries where kind = 'spend'").fetchone()
    assert row
    assert row[0] == _price_of(trace) + 4 * Decimal("991.666667")


def _price_of(trace: Path) -> Decimal:
    """By the catalogue: US cents per million tokens, five percent, 1.08 dollars per euro, each request up."""
    total = 0
    with trace.open() as file:
        for number, line in enumerate(csv.DictReader(file)):
            per_million = ((300, 1500), (250, 1000))[number % 2]
            dollars = (
                int(line["ContextTokens"]) * per_million[0] + int(line["GeneratedTokens"]) * per_million[1]
            )
            total += -(-dollars * 105 // 108)  # × 1.05 / 1.08, up to the next millionth of a cent
    return Decimal(total) / 1_000_000


def test_kill_of_the_api_and_of_the_postmaster_loses_and_doubles_nothing(data_dir: Path, trace: Path) -> None:
    before = _spends(data_dir)
    demo = _demo(data_dir, trace)
    _wait_for_spends(data_dir, before + 60, demo)
    os.kill(_api_pid(data_dir), signal.SIGKILL)
    _wait_for_spends(data_dir, before + 160, demo)
    postmaster = int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    output, _ = demo.communicate(timeout=180)
    assert demo.returncode == 0, output
    assert "the books close: no finding" in output
    assert "sent again" in output
    assert "│ 0 " not in next(line for line in output.splitlines() if "sent again" in line), output
    assert _spends(data_dir) - before == 404


def test_without_a_running_up_the_demo_starts_its_own(trace: Path, tmp_path: Path, data_dir: Path) -> None:
    short = tmp_path / "short.csv"
    short.write_text("".join(trace.open().readlines()[:21]))
    demo = _demo(tmp_path / "data", short)
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, output
    assert "the books close: no finding" in output
    assert not (tmp_path / "data" / "postgres" / "postmaster.pid").exists(), "its PostgreSQL was stopped"


def test_requests_are_shared_out_unevenly() -> None:
    requests, users = read_trace(SLICE, 4)
    counts = [sum(request.user == user for request in requests) for user in range(users)]
    assert [round(counts[0] / count) for count in counts] == [1, 2, 3, 4]
    assert requests[0].usage == {"input_tokens": 4808, "output_tokens": 10}


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "ContextTokens,GeneratedTokens\n1,x\n", "ContextTokens,GeneratedTokens\n"]
)
def test_a_file_that_is_no_trace(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(DemoError, match=r"trace\.csv"):
        read_trace(path, None)
