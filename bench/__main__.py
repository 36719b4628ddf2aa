"""`python -m bench`: every benchmark, on a PostgreSQL of its own. Fails when its books do not close."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
from pathlib import Path

from rich.console import Console

from bench.bank import Bank, opened
from bench.comparisons import hot, latency, uniform
from bench.pgbench import Load, busy_already
from bench.steps import steps
from pgcredits import audit
from pgcredits.embedded import EmbeddedError

BENCHMARKS = {"uniform": uniform, "hot": hot, "latency": latency, "steps": steps}


def main() -> None:
    options = _options()
    # Ended politely, we stop the server first.
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))
    otherwise = busy_already()
    load = Load(options.clients, options.seconds, options.rounds)
    try:
        with opened(options.accounts, _say) as bank:
            print(
                f"{_machine(bank)}; {load.clients} clients, {load.rounds} rounds of {load.seconds} s,"
                f" medians (min–max); {otherwise:.0%} busy with other things at the start"
            )
            for name in options.only or BENCHMARKS:
                _say(name)
                BENCHMARKS[name](bank, load, _say)
            _say("audit")
            with bank.connect() as admin:
                admin.execute("analyze")  # autovacuum has not come to know what has just been written
            checks = audit.run(bank.url)
    except (EmbeddedError, KeyboardInterrupt) as error:
        sys.exit(str(error) or "interrupted")
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
    parser.add_argument("--accounts", type=_count, default=10_000, help="accounts with tokens (%(default)s)")
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="this benchmark; may be repeated")
    return parser.parse_args()


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _machine(bank: Bank) -> str:
    with bank.connect() as admin:
        version = admin.info.parameter_status("server_version")
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
