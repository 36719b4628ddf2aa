"""Comments and messages of sql/ keep to the rules for words of CONTRIBUTING.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs.test_docs_words import RIDDLES, riddles

SQL = Path(__file__).parents[2] / "sql"
FILES = sorted(SQL.rglob("*.sql"))
MORE = {
    r"\bis no (account|address|fault|hold|id|label|module|name|number|price|use)\b": "is not a …",
    r"\bare no (fault|number|hold|letter|token|use|role)s?\b": "are not …",
    r"\bsold so\b": "sold like this",
}


def found(text: str) -> list[str]:
    """The riddles in a file, each as it stands there."""
    more = (match[0] for pattern in MORE for match in re.finditer(pattern, text, re.I))
    return [*riddles(text), *more]


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(SQL)) for path in FILES])
def test_sql_speaks_without_riddles(path: Path) -> None:
    assert found(path.read_text()) == [], RIDDLES | MORE


@pytest.mark.parametrize(
    "text", ["-- The door says so.", "is 'Null: a key that is none.'", "-- It is no number."]
)
def test_a_riddle_in_sql_is_found(text: str) -> None:
    assert found(text)
