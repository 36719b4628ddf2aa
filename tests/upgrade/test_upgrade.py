"""Banks of earlier releases, frozen with their rows, are brought up to date: see freeze.py."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from pgcredits.migrate import HOME, MigrationError, migrate, run

sys.path.append(str(Path(__file__).parents[1] / "sql"))
from test_schema_snapshot import dump, plain

UPGRADING = HOME / "docs" / "upgrading.md"
FROZEN = sorted(Path(__file__).parent.glob("*.sql.gz"))


def thaw(url: str, frozen: Path) -> None:
    """Restore a dump. The roles are there: they are the server's."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(gzip.decompress(frozen.read_bytes()))


def squeezed(text: str) -> str:
    """Without what a dump and its restoring change: parentheses around conditions, names of NOT NULL."""
    return re.sub(r"[()]", "", plain(text))


def test_something_is_frozen() -> None:
    assert len(FROZEN) >= 4


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda path: path.name.removesuffix(".sql.gz"))
def test_an_earlier_bank_becomes_what_a_fresh_one_is(frozen: Path, empty_url: str, own_url: str) -> None:
    thaw(empty_url, frozen)
    outcome = run(empty_url)
    assert outcome.applied
    assert squeezed(dump(empty_url)) == squeezed(dump(own_url))
    with psycopg.connect(empty_url, autocommit=True) as admin:
        assert admin.execute("table audit.findings").fetchall() == []
        before = admin.execute("select user_id, balance from api.balance order by user_id").fetchall()
        assert before == [("ada", 165), ("bob", 75)]
        admin.execute("set role service_role")
        (spent,) = admin.execute(
            "select (c).cost from (select api.consume_tokens('whisper', user_id => 'ada') as c) as x"
        ).fetchone() or (None,)
        assert spent == 25
        held = admin.execute("select (api.hold_tokens('whisper', user_id => 'bob')).held").fetchone()
        assert held == (25,)
        admin.execute("reset role")
        assert admin.execute("table audit.findings").fetchall() == []
    assert migrate(empty_url) == []


# Banks of days on which a file was edited after it was applied, and no digest kept: tests/upgrade/edited.
EDITED = {
    "2026-11-21-523a92f": ("0017-holds", "column credits.holds.shortfall credits.amount"),
    "2026-11-24-5632b45": ("0022-captures", "column credits.wallets.head_keeps boolean"),
}


@pytest.mark.parametrize("name", EDITED)
def test_a_file_that_was_edited_before_there_were_digests_is_refused(
    name: str, empty_url: str, own_url: str
) -> None:
    """`own_url`: with another bank on the server its roles are there."""
    thaw(empty_url, Path(__file__).parent / "edited" / f"{name}.sql.gz")
    file, missing = EDITED[name]
    before = dump(empty_url)
    with pytest.raises(MigrationError, match=f"{file} was edited after it was applied.*{missing}"):
        run(empty_url)
    assert dump(empty_url) == before
    # The way forward, as docs/upgrading.md has it.
    blocks = re.findall(r"```sql\n(.*?)```", UPGRADING.read_text(), re.S)
    (by_hand,) = [text for text in blocks if missing.split()[1].split(".")[2] in text]
    with psycopg.connect(empty_url, autocommit=True) as admin:
        admin.execute(by_hand.encode())
        admin.execute("reset role")
        assert run(empty_url).applied
        assert admin.execute("table audit.findings").fetchall() == []
        admin.execute("set role service_role")
        for call in (
            "consume_tokens('whisper', user_id => 'ada')",
            "hold_tokens('whisper', user_id => 'bob')",
        ):
            admin.execute(f"select api.{call}".encode())
        admin.execute("reset role")
        assert admin.execute("table audit.findings").fetchall() == []
    assert run(empty_url).up_to_date


def test_a_restored_dump_is_the_release_that_was_dumped(url: str, empty_url: str, bin_dir: Path) -> None:
    """Definitions are spelled a little differently then. That is no finding."""
    text = subprocess.run(
        [bin_dir / "pg_dump", "--inserts", url], check=True, capture_output=True, text=True
    ).stdout
    with psycopg.connect(empty_url, autocommit=True) as admin:
        admin.execute("\n".join(line for line in text.splitlines() if not line.startswith("\\")).encode())
        admin.execute("set search_path = pg_catalog")
        assert admin.execute("table audit.check_release").fetchall() == []
    with psycopg.connect(url) as before, psycopg.connect(empty_url) as after:
        query = "select kind, name, definition from credits.standing_objects() order by 1, 2"
        assert after.execute(query).fetchall() == before.execute(query).fetchall()
