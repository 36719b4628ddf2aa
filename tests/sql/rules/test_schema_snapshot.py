"""A fresh installation is what schema.sql says: shape, signatures, comments, grants and policies.

After a change that is meant, refresh the file and read its diff:

    REFRESH_SNAPSHOT=1 .venv/bin/pytest tests/sql/rules/test_schema_snapshot.py

The same command writes docs/reference.md and the types for TypeScript anew, and so does `make reference`.
"""

from __future__ import annotations

import os
import re
import subprocess
from difflib import unified_diff
from pathlib import Path

import pytest
from callers import Connection
from docs import reference, typescript

from pgcredits.local import embedded

SNAPSHOT = Path(__file__).with_name("schema.sql")
SCHEMAS = ("credits", "api", "analytics", "finance", "audit")


def dump(url: str) -> str:
    """The schema without what depends on the month (partitions) or on the server (its version), and without
    the bodies of functions: those stand in sql/, which is reloaded whole every time.
    """
    text = subprocess.run(
        [
            embedded.find_binaries(18) / "pg_dump",
            "--schema-only",
            "--no-owner",
            "--restrict-key=x",
            *(f"--schema={schema}" for schema in SCHEMAS),
            "--exclude-table=credits.entries_2*",
            f"--dbname={url}",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    text = re.sub(r"^-- Dumped .*\n", "", text, flags=re.M)
    # Bookkeeping of Debian's PostgreSQL 15.20, which pg_dump 18 takes for an option of ours.
    text = re.sub(r"^ALTER TABLE ONLY \S+ ALTER COLUMN \S+ SET \(pg_attver=\d+\);\n", "", text, flags=re.M)
    text = re.sub(r"AS (\$\w*\$).*?\1;", "AS …;", text, flags=re.S)
    return re.sub(r"^(--.*)?\n", "", text, flags=re.M)  # pg_dump's own comments, and blank lines


def plain(text: str) -> str:
    """Without what 18 writes differently: names of NOT NULL constraints, aliases in simple views."""
    aliases = rf"\b(?!({'|'.join(SCHEMAS)}|pg_catalog)\.)[a-z]\w*\.(?=[a-z])"
    return re.sub(rf'\bCONSTRAINT \w+ (?=NOT NULL)|"\*VALUES\*"\.|{aliases}', "", text)


def test_fresh_installation_is_the_snapshot(db: Connection, url: str) -> None:
    fresh, kept = dump(url), SNAPSHOT.read_text()
    newest = db.info.server_version >= 180000
    if os.environ.get("REFRESH_SNAPSHOT") and newest:
        SNAPSHOT.write_text(fresh)
    elif fresh != kept if newest else plain(fresh) != plain(kept):
        if not newest:
            kept, fresh = plain(kept), plain(fresh)
        lines = list(
            unified_diff(kept.splitlines(), fresh.splitlines(), "schema.sql", "fresh", "", "", 1, "")
        )
        pytest.fail("\n".join(["meant? then refresh the file, as this test's file says", *lines[:60]]))


def test_snapshot_shows_every_change(db: Connection, url: str) -> None:
    fresh = dump(url)
    for change in (
        "grant select on credits.wallets to anon",
        "drop policy own_rows on credits.lots",
        "comment on function credits.me() is 'Nobody.'",
        "alter table credits.lots alter column priority set default 1",
    ):
        db.execute(change)
        before, fresh = fresh, dump(url)
        assert fresh != before, change
        assert plain(fresh) != plain(before), change


def test_reference_says_what_the_database_says(db: Connection) -> None:
    kept = reference.PAGE.read_text()
    fresh = reference.page(db, kept)
    if os.environ.get("REFRESH_SNAPSHOT"):
        reference.PAGE.write_text(fresh)
    elif fresh != kept:
        lines = list(
            unified_diff(kept.splitlines(), fresh.splitlines(), "reference.md", "fresh", "", "", 1, "")
        )
        pytest.fail("\n".join(["stale: run make reference, and read the difference", *lines[:60]]))


def test_types_for_typescript_say_what_the_database_says(db: Connection) -> None:
    kept, fresh = typescript.FILE.read_text() if typescript.FILE.exists() else "", typescript.page(db)
    if os.environ.get("REFRESH_SNAPSHOT"):
        typescript.FILE.write_text(fresh)
    elif fresh != kept:
        lines = list(
            unified_diff(kept.splitlines(), fresh.splitlines(), "database.ts", "fresh", "", "", 1, "")
        )
        pytest.fail("\n".join(["stale: run make reference, and read the difference", *lines[:60]]))


def test_types_for_typescript_show_every_change(db: Connection) -> None:
    fresh = typescript.page(db)
    for change in (
        "create function api.extra(n int) returns api.quote language sql return null::api.quote",
        "create view api.extras as select 1::bigint as extra",
        "alter type api.quote add attribute extra text[]",
    ):
        db.execute(change)
        before, fresh = fresh, typescript.page(db)
        assert fresh != before, change
    db.execute("create function api.odd(x point) returns api.quote language sql return null::api.quote")
    with pytest.raises(LookupError, match="point"):
        typescript.page(db)


def test_reference_shows_every_change(db: Connection) -> None:
    kept = fresh = reference.page(db, reference.PAGE.read_text())
    for change in (
        "comment on function api.redeem_code(text, text, text) is 'Redeem.'",
        "comment on column api.balance.held is 'Held.'",
        "comment on view audit.check_lots is 'Lots.'",
        "comment on type api.quote is 'A quote.'",
        "revoke execute on function api.maintain(bigint, bigint) from service_role",
    ):
        db.execute(change)
        before, fresh = fresh, reference.page(db, kept)
        assert fresh != before, change
    db.execute("create function api.extra() returns integer language sql return 1")
    with pytest.raises(LookupError, match="extra"):
        reference.page(db, kept)
