"""The benchmarks run, their network is as far away as they say, and the books of their bank close."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_short_run_measures_and_proves_its_books() -> None:
    options = shlex.split("--only latency --only steps --accounts 20 --clients 1 --rounds 1 --seconds 1")
    done = subprocess.run(
        [sys.executable, "-m", "bench", *options], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr

    there_and_back = re.search(r"select 1 takes ([\d.]+) ms", done.stdout)
    assert there_and_back
    assert float(there_and_back[1]) >= 2

    slower = re.search(r"six statements with 1 ms latency are ([\d.]+) .* times slower", done.stdout)
    assert slower
    assert float(slower[1]) > 2

    assert re.search(r"inserts into credits\.entries_\d{4}_\d\d", done.stdout)
    assert re.search(r"the price takes \d+% of a spend", done.stdout)
    assert "the books close" in done.stdout
