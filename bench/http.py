"""The HTTP API beside PostgREST: spends, holds with their captures, and balance reads, by wrk, in turns."""

from __future__ import annotations

import itertools
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.bank import HERE, HOST, Bank
from bench.pgbench import Load, spread
from bench.serving import Server, postgrest, served, used

POSTGREST = "BENCH_POSTGREST"  # where the program is
_NUMBERS = itertools.count(int(time.time()))
_DONE = re.compile(r"requests (\d+) microseconds (\d+) refused (\d+) broken (\d+) p50 (\d+) p99 (\d+)")


@dataclass(frozen=True, slots=True)
class Work:
    name: str
    script: str  # what http.lua sends
    login: str
    role: str
    subject: str | None
    hot: bool = False  # all on one account


WORKS = (
    Work("spend", "spend", "pgcredits_service", "service_role", None),
    Work("spend, one account", "spend", "pgcredits_service", "service_role", None, hot=True),
    Work("hold and capture", "hold", "pgcredits_service", "service_role", None),
    Work("balance", "balance", "pgcredits_api", "authenticated", "user-1"),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One run."""

    per_second: float
    p50: float  # milliseconds
    p99: float
    server: float  # microseconds of processor per request: the server, and PostgreSQL
    database: float


def http(bank: Bank, load: Load, say: Callable[[str], None]) -> None:
    """Ours against PostgREST, if BENCH_POSTGREST says where it is; else ours alone."""
    wrk = shutil.which("wrk")
    if wrk is None:
        print("\nhttp: not measured, because wrk is not installed (Debian: apt install wrk)")
        return
    secret = secrets.token_hex(32)
    with served(bank, secret) as ours:
        for work in WORKS:
            with _peer(bank, work.login, secret) as peer:
                servers = (ours, peer) if peer else (ours,)
                for connections in load.connections:
                    _compare(bank, wrk, servers, work, connections, load, say)
        print(f"  memory of one worker after that: {ours.megabytes():,.0f} MB")


@contextmanager
def _peer(bank: Bank, login: str, secret: str) -> Iterator[Server | None]:
    program = os.environ.get(POSTGREST)
    with ExitStack() as stack:
        yield stack.enter_context(postgrest(bank, Path(program), login, secret)) if program else None


def _compare(
    bank: Bank,
    wrk: str,
    servers: Sequence[Server],
    work: Work,
    connections: int,
    load: Load,
    say: Callable[[str], None],
) -> None:
    for server in servers:
        _run(bank, wrk, server, work, connections, 1)
    if work.script == "hold":
        _require_captures(bank)
    seen: dict[str, list[Seen]] = {server.name: [] for server in servers}
    for number in range(load.rounds):
        say(f"  {work.name}, {connections} connections: round {number + 1} of {load.rounds}")
        for server in servers:
            seen[server.name].append(_run(bank, wrk, server, work, connections, load.seconds))
    print(f"\nhttp: {work.name}, {connections} connections")
    for name, runs in seen.items():
        print(
            f"  {name:<10} {spread([run.per_second for run in runs], ',.0f')} per second,"
            f" p50 {median(run.p50 for run in runs):.1f} ms, p99 {median(run.p99 for run in runs):.1f} ms,"
            f" processor {median(run.server for run in runs):.0f} µs"
            f" + PostgreSQL {median(run.database for run in runs):.0f} µs"
        )
    if len(servers) == 2:
        ours, peers = seen.values()
        ratios = [a.per_second / b.per_second for a, b in zip(ours, peers, strict=True)]
        print(f"  ratio {spread(ratios, '.2f')}")


def _require_captures(bank: Bank) -> None:
    """Raises RuntimeError when the script has made holds and captured hardly any."""
    with bank.connect() as admin:
        row = admin.execute(
            "select count(*) filter (where state = 'open'), count(*) from credits.holds"
        ).fetchone()
    if row is None or row[0] * 2 > row[1]:
        raise RuntimeError(f"open holds, and all holds: {row}")


def _run(bank: Bank, wrk: str, server: Server, work: Work, connections: int, seconds: int) -> Seen:
    """One run of wrk. Raises RuntimeError when a single request failed."""
    postmaster = _postmaster(bank)
    command = [
        wrk, "--threads=1", f"--connections={connections}", f"--duration={seconds}s", "--timeout=30s",
        f"--script={HERE / 'scripts' / 'http.lua'}", f"http://{HOST}:{server.port}", "--",
        work.script, server.prefix, server.token(work.role, work.subject),
        str(1 if work.hot else bank.accounts), str(next(_NUMBERS)),
    ]  # fmt: skip
    before = server.seconds(), _cluster(postmaster)
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    after = server.seconds(), _cluster(postmaster)
    found = _DONE.search(done.stdout)
    if found is None or int(found[3]) or int(found[4]):
        raise RuntimeError(f"{server.name}, {work.name}: {done.stdout}{done.stderr}")
    requests, microseconds, *_, p50, p99 = map(int, found.groups())
    return Seen(
        requests / microseconds * 1e6,
        p50 / 1000,
        p99 / 1000,
        (after[0] - before[0]) / requests * 1e6,
        (after[1] - before[1]) / requests * 1e6,
    )


def _postmaster(bank: Bank) -> int:
    with bank.connect() as admin:
        row = admin.execute("select current_setting('data_directory')").fetchone()
    assert row is not None
    return int((Path(row[0]) / "postmaster.pid").read_text().split()[0])


def _cluster(postmaster: int) -> float:
    """Seconds of processor of all of PostgreSQL's processes, those that have ended included."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return used(postmaster) + sum(map(_of_child, children))


def _of_child(pid: str) -> float:
    with suppress(OSError):  # it has just ended, and counts with its parent
        return used(int(pid))
    return 0.0
