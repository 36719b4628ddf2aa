"""The examples of docs/examples run as they say, prove what they print, and can be run again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PROVED = """\
at first: jobs 0, balance 120, held 0
charged in the same COMMIT: jobs 1, balance 70, held 0
the same request again: jobs 1, balance 70, held 0
the application failed: jobs 1, balance 70, held 0
the bank refused, insufficient_tokens: jobs 1, balance 70, held 0
enqueued with its hold: jobs 2, balance 70, held 50
the worker died: jobs 2, balance 70, held 50
done and captured: jobs 2, balance 20, held 0
a grant was refused, insufficient_privilege: jobs 2, balance 20, held 0
"""


@pytest.fixture
def bank(db: psycopg.Connection[Any], url: str) -> Iterator[str]:
    """A migrated bank, which has no backend yet; afterwards the server has none either."""
    yield url
    db.execute("drop owned by backend cascade")
    db.execute("drop role backend")


def run(*words: str | Path) -> str:
    ran = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    return ran.stdout


def psql(bin_dir: Path, url: str) -> str:
    return run(bin_dir / "psql", "-X", url, "-f", EXAMPLES / "same_commit.sql")


def python(url: str) -> str:
    return run(sys.executable, EXAMPLES / "same_commit.py", url)


def test_same_commit_in_sql_and_in_python(bank: str, bin_dir: Path, db: psycopg.Connection[Any]) -> None:
    """One after the other and then again, in either language, on one bank."""
    assert psql(bin_dir, bank) == PROVED
    assert python(bank) == PROVED
    assert psql(bin_dir, bank) == PROVED
    assert python(bank) == PROVED
    # What they committed is there, charged to the login, and the books close.
    rows = db.execute(
        "select e.kind, e.tokens, e.actor, count(*) from credits.entries as e group by 1, 2, 3 order by 1, 2"
    ).fetchall()
    assert sorted(rows) == [("grant", 120, "postgres", 4), ("spend", -50, "backend", 8)]
    jobs = db.execute(
        "select done, hold_id is not null, count(*) from app.jobs group by 1, 2 order by 2"
    ).fetchall()
    assert jobs == [(True, False, 4), (True, True, 4)]
    assert db.execute("select * from audit.findings").fetchall() == []


def test_worker_killed_before_its_commit_has_charged_nothing(
    bank: str, bin_dir: Path, db: psycopg.Connection[Any]
) -> None:
    """The next worker does the job and the charge, both once."""
    python(bank)
    program = (
        "import os, sys; sys.path.insert(0, sys.argv[2])\n"
        "import psycopg, same_commit\n"
        "with psycopg.connect(sys.argv[1], autocommit=True) as db:\n"
        "    user = same_commit.one(db, 'select user_id from app.jobs limit 1')\n"
        "    db.execute('set session authorization backend')\n"
        "    if sys.argv[3] == 'enqueue':\n"
        "        db.execute('reset session authorization')\n"
        "        db.execute(\"select api.add_tokens(%s, 50, reason => 'grant')\", (user,))\n"
        "        db.execute('set session authorization backend')\n"
        "        with db.transaction():\n"
        "            same_commit.enqueue(db, user, 'a calm')\n"
        "    job = same_commit.one(db, 'select job_id from app.jobs where not done')\n"
        "    with db.transaction():\n"
        "        same_commit.finish(db, job)\n"
        "        if sys.argv[3] == 'enqueue':\n"
        "            os.kill(os.getpid(), 9)\n"
    )

    def work(part: str) -> int:
        words = (sys.executable, "-c", program, bank, str(EXAMPLES), part)
        return subprocess.run(words, timeout=60, check=False).returncode

    open_jobs = "select count(*) from app.jobs where not done"
    spends = "select count(*) from credits.entries as e where e.kind = 'spend'"

    def state() -> tuple[Any, ...]:
        return tuple(db.execute(query.encode()).fetchall()[0][0] for query in (open_jobs, spends))

    before = state()
    assert work("enqueue") == -9
    assert state() == (1, before[1])
    assert work("finish") == 0
    assert state() == (0, before[1] + 1)
    assert db.execute("select * from audit.findings").fetchall() == []


def test_same_commit_stops_at_an_unexpected_result(
    bank: str, bin_dir: Path, db: psycopg.Connection[Any]
) -> None:
    """With another price, both examples stop at the first wrong result."""
    python(bank)
    db.execute(
        "select credits.define_price("
        """'[{"dimension": "calls", "price_per_unit": 49}]', p_module_id => 'stablediffusion')"""
    )
    for words in (
        (bin_dir / "psql", "-X", bank, "-f", EXAMPLES / "same_commit.sql"),
        (sys.executable, EXAMPLES / "same_commit.py", bank),
    ):
        ran = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert ran.returncode != 0
        assert ran.stdout == PROVED.splitlines(keepends=True)[0]
