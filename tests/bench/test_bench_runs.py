"""The benchmarks run, their network is as far away as they say, and the books of their bank close."""

from __future__ import annotations

import re
import shlex
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


def test_a_short_run_measures_and_proves_its_books() -> None:
    printed = run(
        "--only latency --only steps --only holds --only batch"
        " --accounts 20 --clients 1 --rounds 1 --seconds 1"
    )
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


def test_growth_fills_a_ledger_of_any_size_and_proves_both_books() -> None:
    printed = run("--only growth --accounts 30 --entries 13579 --clients 1 --rounds 1 --seconds 1")
    assert "filled to 10,000 entries" in printed
    assert "filled to 13,579 entries" in printed
    assert re.search(r"13,579 entries +[\d,]+ .* [\d.]+ \(", printed)
    assert printed.count("the books close") == 2
