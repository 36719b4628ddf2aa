"""The benchmarks run, their network is as far away as they say, and the books of their bank close."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_version

ROOT = Path(__file__).parents[2]


def run(options: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bench", *shlex.split(options)],
        cwd=ROOT, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def printed() -> str:
    """What a short run prints."""
    return run(
        "--only latency --only steps --only holds --only batch --only http"
        " --accounts 20 --clients 1 --connections 2 --rounds 1 --seconds 1"
    )


@pytest.mark.long
def test_a_short_run_measures_and_proves_its_books(printed: str) -> None:
    there_and_back = re.search(r"select 1 takes ([\d.]+) ms", printed)
    assert there_and_back
    assert float(there_and_back[1]) >= 2

    slower = re.search(r"six statements with 1 ms latency are ([\d.]+) .* times slower", printed)
    assert slower
    assert float(slower[1]) > 2

    assert re.search(r"inserts into credits\.entries_\d{4}_\d\d", printed)
    assert re.search(r"hold and capture +[\d,]+ .* [\d.]+ \(", printed)
    assert re.search(r"hold and capture to two spends: [\d.]+ \(", printed)
    assert len(re.findall(r"batch of 100 +[\d,]+ .* [\d.]+ \(", printed)) == 2
    assert "the books close" in printed


@pytest.mark.long
def test_http_tells_rates_times_and_costs_of_each_kind_of_call(printed: str) -> None:
    if shutil.which("wrk") is None:
        assert "http: not measured, because wrk is not installed" in printed
        pytest.skip("wrk is not here: nothing was measured over HTTP (Debian: apt install wrk)")
    peers = ("pgcredits", "PostgREST") if os.environ.get("BENCH_POSTGREST") else ("pgcredits",)
    kinds = ("spend", "spend, one account", "hold and capture", "balance")
    blocks = re.findall(r"^http: (.+), (\d) connections\n((?:  .+\n)+)", printed, re.MULTILINE)
    assert [(kind, connections) for kind, connections, _ in blocks] == [(kind, "2") for kind in kinds]
    for _, _, lines in blocks:
        figures = re.findall(
            r"^  (\w+) +([\d,]+) \(\2–\2\) per second, p50 ([\d.]+) ms, p99 ([\d.]+) ms,"
            r" processor (\d+) µs \+ PostgreSQL (\d+) µs$",
            lines,
            re.MULTILINE,
        )
        assert tuple(name for name, *_ in figures) == peers
        for _, rate, p50, p99, server, database in figures:
            assert int(rate.replace(",", "")) > 0
            assert 0 < float(p50) <= float(p99)
            assert int(server) + int(database) > 0
        assert len(re.findall(r"^  ratio [\d.]+ \(", lines, re.MULTILINE)) == len(peers) - 1
    assert re.search(r"memory of one worker after that: [1-9]\d* MB", printed)


@pytest.mark.long
def test_growth_fills_a_ledger_of_any_size_and_proves_both_books() -> None:
    printed = run("--only growth --accounts 30 --entries 13579 --clients 1 --rounds 1 --seconds 1")
    assert "filled to 10,000 entries" in printed
    assert "filled to 13,579 entries" in printed
    assert re.search(r"13,579 entries +[\d,]+ .* [\d.]+ \(", printed)
    assert printed.count("the books close") == 2
