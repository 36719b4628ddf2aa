"""Starting the demonstration beside a running `up`, and its costs, calculated without the bank."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

PGCREDITS = [sys.executable, "-m", "pgcredits.cli"]
REPOSITORY = Decimal("991.666667")  # what each user begins with


def start_demo(
    data_dir: Path, trace: Path, *options: str, process_group: int | None = None
) -> subprocess.Popen[str]:
    """The demonstration, on four users."""
    return subprocess.Popen(
        [*PGCREDITS, "demo", "--data-dir", str(data_dir), "--trace", str(trace), "--users", "4", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
        process_group=process_group,
        # In the background of a shell Ctrl-C is ignored, and would be by our children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def line_of(output: str, name: str) -> str:
    """The row of that name in the printed table."""
    return next(line for line in output.splitlines() if name in line)


def database(data_dir: Path) -> str:
    return str(json.loads((data_dir / "run.json").read_text())["database_url"])


def price(number: int, read: int, written: int) -> Decimal:
    """By its prices: US cents per million tokens, five percent, 1.08 dollars per euro, each request up."""
    of_read, of_written = ((300, 1500), (250, 1000))[number % 2]
    dollars = read * of_read + written * of_written
    return Decimal(-(-dollars * 105 // 108)) / 1_000_000  # × 1.05 / 1.08, up to the next millionth of a cent


def price_of(
    trace: Path, counts: Callable[[int], bool] = lambda number: True, written: int | None = None
) -> Decimal:
    """The cost of requests of a trace, with their own output tokens or with the given number."""
    with trace.open() as file:
        rows = [(int(line["ContextTokens"]), int(line["GeneratedTokens"])) for line in csv.DictReader(file)]
    return sum(
        (
            price(number, read, really if written is None else written)
            for number, (read, really) in enumerate(rows)
            if counts(number)
        ),
        Decimal(0),
    )
