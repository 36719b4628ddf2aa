"""`demo --holds` on a real `up`: how every job ended, by the bank's tables, and how a run can end."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from demo.demonstration import REPOSITORY, database, line_of, price, price_of, start_demo

from pgcredits.demo.job import DEATHS, Fate, draw_fates
from pgcredits.demo.trace import SLICE

pytestmark = pytest.mark.one_version

SEED = 30  # of 400 jobs it has every death, and the last one not at the end


def _ask(data_dir: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(database(data_dir)) as connection:
        return connection.execute(query, values).fetchall()


def _max_tokens(trace: Path) -> int:
    with trace.open() as file:
        most = max(int(line["GeneratedTokens"]) for line in csv.DictReader(file))
    return next(2**power for power in range(32) if 2**power > most)


def test_every_job_is_accounted_for(data_dir: Path, trace: Path) -> None:
    fates = draw_fates(400, SEED)
    assert set(fates) == set(Fate)
    failing = {number for number, fate in enumerate(fates) if fate is Fate.FAILS}
    lost = {number for number, fate in enumerate(fates) if fate in DEATHS}

    ((began,),) = _ask(data_dir, "select clock_timestamp()")
    demo = start_demo(data_dir, trace, "--holds", "--seed", str(SEED))
    output, _ = demo.communicate(timeout=180)
    assert demo.returncode == 0, output
    assert "the books close: no finding" in output
    assert f" {SEED} " in line_of(output, "│ seed")
    assert " 404: " in line_of(output, "jobs")
    assert f" {404 - len(failing) - len(lost)}" in line_of(output, "  charged")
    assert f" {len(failing)}: " in line_of(output, "failed, charged nothing")
    assert f" {len(lost)}: " in line_of(output, "lost with their worker")
    assert " insufficient_tokens" in line_of(output, "refusals")

    # One hold for each job; only where the call was never answered there may be none.
    rows = _ask(
        data_dir,
        "select (h.metadata ->> 'job')::int, h.state, h.captured, h.shortfall, h.late, h.failed, h.seqs"
        " from credits.holds as h where h.created_at > %s",
        began,
    )
    holds = {row[0]: row[1:] for row in rows}
    assert len(rows) == len(holds)
    sent = {number for number, fate in enumerate(fates) if fate is not Fate.KILLED_HOLDING}
    assert sent | {-1, -2, -3, -4} <= holds.keys()

    # None is open. The failed ones cost nothing, have no entry, and count as failures.
    assert not [number for number, (state, *_) in holds.items() if state == "open"]
    for number in failing:
        state, captured, shortfall, _, failed, seqs = holds[number]
        assert (captured, shortfall, seqs) == (0, 0, [])
        assert (state, failed) in (("released", True), ("expired", False))
    # The lost ones expired and cost nothing, unless the capture had arrived.
    for number in lost & holds.keys():
        state, captured, _, _, failed, _ = holds[number]
        assert not failed
        assert (state, captured) == ("expired", 0) or (
            fates[number] is Fate.KILLED_CAPTURING and (state, captured > 0) == ("captured", True)
        )
    # The others are charged.
    charged = {number for number, (state, *_, late, _, _) in holds.items() if state == "captured" or late}
    assert charged - lost == holds.keys() - failing - lost

    # To the millionth of a cent, reckoned apart from the bank: what was used, and what was held for it.
    captures = sum((captured + shortfall for _, captured, shortfall, *_ in holds.values()), Decimal(0))
    assert captures == price_of(trace, charged.__contains__) + 4 * REPOSITORY
    most = _max_tokens(trace)
    worst = price_of(trace, holds.__contains__, most) + 4 * price(0, 3_400_000, most)
    ((spent, captured, held),) = _ask(
        data_dir,
        "select"
        " (select -sum(e.tokens) from credits.entries as e where e.kind = 'spend' and e.posted_at > %s),"
        " sum(h.captured), sum(h.tokens) from credits.holds as h where h.created_at > %s",
        began,
        began,
    )
    assert (spent, held) == (captured, worst)
    assert f"{spent / 100:.8f} EUR: exactly that" in line_of(output, "spent, says the bank")

    # Nothing is held, in wallets or in lots, and all checks of the books are silent.
    of_the_run = " where account_id in (select account_id from credits.holds where created_at > %s)"
    for table in ("wallets", "lots"):
        assert _ask(data_dir, f"select sum(held) from credits.{table}{of_the_run}", began) == [(0,)]
    assert _ask(data_dir, "select * from audit.findings") == []


def _workers(demo: subprocess.Popen[str]) -> set[int]:
    children = subprocess.run(
        ["ps", "-o", "pid=,stat=", "--ppid", str(demo.pid)], capture_output=True, text=True
    )
    found = [line.split() for line in children.stdout.splitlines()]
    return {int(pid) for pid, state in found if not state.startswith("Z")}


@pytest.mark.parametrize("ending", ["Ctrl-C", "kill -9"])
def test_a_killed_worker_is_replaced_and_no_worker_outlives_the_run(
    data_dir: Path, tmp_path: Path, ending: str
) -> None:
    heading, *rows = SLICE.read_text().splitlines(keepends=True)
    long = tmp_path / "long.csv"
    long.write_text(heading + "".join(rows * 10))
    demo = start_demo(data_dir, long, "--holds", "--workers", "4", process_group=0)
    deadline = time.monotonic() + 90
    while len(first := _workers(demo)) < 4:
        assert demo.poll() is None, demo.stdout and demo.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    victim = min(first)
    os.kill(victim, signal.SIGKILL)
    while victim in (now := _workers(demo)) or len(now) < 4:
        assert demo.poll() is None, demo.stdout and demo.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)

    if ending == "Ctrl-C":
        os.killpg(demo.pid, signal.SIGINT)
    else:
        demo.kill()
    # A process that is left of the run would keep its output open, and this would wait in vain.
    output, _ = demo.communicate(timeout=60)
    assert "Traceback" not in output
    if ending == "Ctrl-C":
        assert (demo.returncode, "Aborted!" in output) == (1, True)
        with pytest.raises(ProcessLookupError):
            os.killpg(demo.pid, 0)


def test_fates_come_from_the_seed() -> None:
    fates = draw_fates(100_000, 1)
    assert fates == draw_fates(100_000, 1)
    assert fates != draw_fates(100_000, 2)
    share = {fate: fates.count(fate) / len(fates) for fate in Fate}
    assert round(share[Fate.FAILS], 2) == 0.05
    assert [round(share[death], 4) for death in DEATHS] == pytest.approx([0.0025] * 4, abs=0.0005)
