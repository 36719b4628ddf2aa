"""Comments and messages of sql/ keep to the rules for words of CONTRIBUTING.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs.test_docs_words import RIDDLES, riddles

pytestmark = pytest.mark.one_version

SQL = Path(__file__).parents[2] / "sql"
FILES = sorted(SQL.rglob("*.sql"))
MORE = {
    r"\w*_catalogues?\b": "catalog",
    r"\bis no (account|address|fault|hold|id|label|module|name|number|price|use)\b": "is not a …",
    r"\bare no (fault|number|hold|letter|token|use|role)s?\b": "are not …",
    r"\bsold so\b": "sold like this",
    r"\b(wallet|account) being\b": "The wallet is locked.",
    r"(?:'|-- )(Has|May) (a|an|the|it|this|there)\b": "Whether …, or Checks that …",
    r"(?:'|-- )(As (a|an) \w+ \w+s|Of (a|an|what) )": "begin with the subject",
    r"\bthat so (much|many)\b|\bwhat of (it|a|the)\b": "how much of the …",
    r"[:.;] (so )?who only\b": "a query that only …",
    r"\bkeeps? clear of\b|\bput (it|the head) back\b": "takes back the permit",
}


def found(text: str) -> list[str]:
    """The riddles in a file, each as it stands there."""
    more = (match[0] for pattern in MORE for match in re.finditer(pattern, text, re.I))
    return [*riddles(text), *more]


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(SQL)) for path in FILES])
def test_sql_speaks_without_riddles(path: Path) -> None:
    assert found(path.read_text()) == [], RIDDLES | MORE


@pytest.mark.parametrize(
    "text",
    [
        *(
            "-- The door says so.",
            "is 'Null: a key that is none.'",
            "-- It is no number.",
            "-- As a spend locks.",
        ),
        *(
            "is 'Has an item a name?'",
            "is 'Told, the wallet being locked.'",
            "-- Of what was held, the rest.",
        ),
    ],
)
def test_a_riddle_in_sql_is_found(text: str) -> None:
    assert found(text)
