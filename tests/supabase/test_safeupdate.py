"""In sessions of Supabase's PostgREST, an UPDATE or DELETE without WHERE is an error (pg_safeupdate)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from pgcredits.bank.migrate import SQL

pytestmark = pytest.mark.one_version

CHANGES = re.compile(r"\b(?:update|delete\s+from)\s+(?:only\s+)?[a-z_]+\.[a-z_]+\b[^;]*;", re.I)


def unguarded(text: str) -> Iterator[str]:
    """The changes of tables in a file that have no WHERE, up to the name of the table."""
    text = re.sub(r"'(?:[^']|'')*'", "''", re.sub(r"--[^\n]*", "", text))
    for change in CHANGES.findall(text):
        if not re.search(r"\bwhere\b", change, re.I):
            words = change.rstrip(";").split()
            yield " ".join(words[: 3 if words[0].lower() == "delete" else 2])


def test_changes_by_calls_of_the_api_have_a_condition() -> None:
    """Only the operator's functions have none. They change the one row of settings, as postgres."""
    texts = {path: path.read_text() for path in SQL.rglob("*.sql")}
    assert sum(len(CHANGES.findall(text)) for text in texts.values()) > 100
    found = {(path.parent.name, change) for path, text in texts.items() for change in unguarded(text)}
    assert {change for _, change in found} == {"update credits.settings"}
    assert "api" not in {folder for folder, _ in found}


def test_changes_without_a_condition_are_found() -> None:
    text = "update a.b set c = 'where'; -- where\ndelete from a.b;\nupdate a.b set c = 1 where d = 2;"
    assert list(unguarded(text)) == ["update a.b", "delete from a.b"]
