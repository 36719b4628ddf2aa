"""Running pgbench, and peers in turns."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from statistics import median

from bench.bank import DATABASE, HERE, HOST, Bank, Login

CONNECTIONS = (1, 4, 16, 64)  # of http


@dataclass(frozen=True, slots=True)
class Load:
    """How hard, and for how long."""

    clients: int
    seconds: int
    rounds: int
    connections: tuple[int, ...]  # of http, one after the other


@dataclass(frozen=True, slots=True)
class Peer:
    name: str
    script: str  # a file of scripts/, without .sql
    login: Login


@dataclass(frozen=True, slots=True)
class Round:
    per_second: float
    transactions: int
    busy: float  # of all cores, 0 to 1
    latency: float  # milliseconds of a transaction, on average


def run(
    bank: Bank, peer: Peer, clients: int, seconds: int, accounts: int, port: int, rate: float | None = None
) -> Round:
    """One run, with prepared statements, at most `rate` transactions a second.

    Raises RuntimeError when a single transaction failed.
    """
    command: list[str | Path] = [
        bank.programs / "pgbench", "--no-vacuum", "--protocol=prepared",
        f"--file={HERE / 'scripts' / peer.script}.sql", f"--define=accounts={accounts}",
        f"--client={clients}", f"--jobs={min(clients, os.cpu_count() or 1)}", f"--time={seconds}",
    ]  # fmt: skip
    if rate is not None:
        command.append(f"--rate={rate:.0f}")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")} | {
        "PGHOST": HOST,
        "PGPORT": str(port),
        "PGUSER": peer.login.user,
        "PGPASSWORD": peer.login.password,
        "PGDATABASE": DATABASE,
        "PGOPTIONS": f"-c role={peer.login.role}",
    }
    before = _cpu_times()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds + 120)
    after = _cpu_times()
    found = re.search(
        r"actually processed: (\d+)\nnumber of failed transactions: 0 .*"
        r"^latency average = ([\d.]+) ms.*^tps = ([\d.]+)",
        done.stdout,
        re.M | re.S,
    )
    if done.returncode or not found:
        raise RuntimeError(f"pgbench, {peer.name}: {done.stderr.strip() or done.stdout.strip()}")
    return Round(float(found[3]), int(found[1]), _busy(before, after), float(found[2]))


def take_turns(
    bank: Bank, peers: Sequence[Peer], load: Load, accounts: int, port: int, say: Callable[[str], None]
) -> dict[str, list[Round]]:
    """A B C, A B C …: what changes on the machine meanwhile changes for all. The first turn warms up."""
    for peer in peers:
        run(bank, peer, load.clients, 1, accounts, port)
    rounds: dict[str, list[Round]] = {peer.name: [] for peer in peers}
    for number in range(load.rounds):
        for peer in peers:
            say(f"  round {number + 1} of {load.rounds}: {peer.name}")
            rounds[peer.name].append(run(bank, peer, load.clients, load.seconds, accounts, port))
    return rounds


def spread(values: Sequence[float], form: str) -> str:
    """The median, and between which values it lies."""
    return f"{median(values):{form}} ({min(values):{form}}–{max(values):{form}})"


def busy_already(seconds: float = 1.0) -> float:
    """How busy the machine is with other things, 0 to 1: what they take is missing in every figure."""
    before = _cpu_times()
    time.sleep(seconds)
    return _busy(before, _cpu_times())


def _busy(before: tuple[int, int], after: tuple[int, int]) -> float:
    total = after[1] - before[1]
    return (after[0] - before[0]) / total if total else nan


def _cpu_times() -> tuple[int, int]:
    """Time that all cores have worked, and all time; zeros where there is no /proc."""
    try:
        times = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    except OSError:
        return 0, 0
    return sum(times) - times[3] - times[4], sum(times)  # without idle and iowait
