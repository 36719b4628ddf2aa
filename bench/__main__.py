"""`python -m bench`: every benchmark, on a PostgreSQL of its own. Fails when its books do not close."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from bench.audits import audits
from bench.bank import Bank, opened
from bench.comparisons import batch, holds, hot, latency, uniform
from bench.events import events
from bench.explanations import explanations
from bench.growth import YOUNG, growth
from bench.http import http
from bench.pgbench import CONNECTIONS, Load, busy_already
from bench.steps import steps
from pgcredits.bank import audit
from pgcredits.local.embedded import EmbeddedError, find_binaries

BENCHMARKS = {
    "uniform": uniform, "hot": hot, "holds": holds, "batch": batch, "latency": latency, "steps": steps,
    "events": events, "http": http,
}  # fmt: skip
# These take long: only when they are asked for.
GROWTH = "growth"
AUDIT = "audit"
EXPLAIN = "explain"
MILLION = 1_000_000  # entries that explain fills at most


def main() -> None:
    options = _options()
    # Ended politely, we stop the server first.
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))
    load = Load(options.clients, options.seconds, options.rounds, tuple(options.connections or CONNECTIONS))
    names = options.only or BENCHMARKS
    print(
        f"{_machine()}; {load.clients} clients, {load.rounds} rounds of {load.seconds} s, medians (min–max);"
        f" {busy_already():.0%} busy with other things at the start"
    )
    try:
        if set(names) - {GROWTH, AUDIT, EXPLAIN}:
            with opened(options.accounts, _say) as bank:
                for name in names:
                    if name in BENCHMARKS:
                        _say(name)
                        BENCHMARKS[name](bank, load, _say)
                _prove(bank)
        if GROWTH in names:
            _say(GROWTH)
            growth(load, options.accounts, options.entries, _say, _prove)
        if AUDIT in names:
            _say(AUDIT)
            audits(options.accounts, _say)
        if EXPLAIN in names:
            _say(EXPLAIN)
            explanations(options.accounts, min(options.entries, MILLION), _say)
    except (EmbeddedError, KeyboardInterrupt) as error:
        sys.exit(str(error) or "interrupted")


def _prove(bank: Bank) -> None:
    _say("audit")
    with bank.connect() as admin:
        admin.execute("analyze")  # autovacuum has not come to know what has just been written
    checks = audit.run(bank.url)
    print()
    audit.report(checks, Console())
    if not audit.sound(checks):
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="What a spend costs, beside its peers."
    )
    parser.add_argument("--seconds", type=_count, default=2, help="of each run (%(default)s)")
    parser.add_argument("--rounds", type=_count, default=5, help="runs of each peer, in turns (%(default)s)")
    parser.add_argument("--clients", type=_count, default=8, help="connections at once (%(default)s)")
    parser.add_argument(
        "--connections", type=_count, action="append",
        help=f"of http; may be repeated ({', '.join(map(str, CONNECTIONS))})",
    )  # fmt: skip
    parser.add_argument("--accounts", type=_count, default=10_000, help="accounts with tokens (%(default)s)")
    parser.add_argument(
        "--only", action="append", choices=[*BENCHMARKS, GROWTH, AUDIT, EXPLAIN],
        help=f"this benchmark; may be repeated; {GROWTH}, {AUDIT} and {EXPLAIN} run in no other way",
    )  # fmt: skip
    parser.add_argument(
        "--entries", type=_count, default=10_000_000, help=f"of the long ledger of {GROWTH} (%(default)s)"
    )
    options = parser.parse_args()
    if options.entries <= YOUNG:
        parser.error(f"--entries: the long ledger has more than {YOUNG}, as the short one has")
    return options


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _machine() -> str:
    version = subprocess.check_output([find_binaries() / "postgres", "--version"], text=True).split()[2]
    return f"{os.cpu_count()} cores ({_processor()}), {platform.system()}, PostgreSQL {version}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
