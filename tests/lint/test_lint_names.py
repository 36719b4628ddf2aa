"""The name of a test is a rule in at most about ten words: CONTRIBUTING.md, "Rules for words"."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_version

TESTS = Path(__file__).parents[1]
LONGEST = 80
# Files of the spend path that are being rewritten; none may join them.
LATER = {
    "test_batch_that_is_none_is_refused",
    "test_item_that_is_none_harms_no_other",
    "test_name_that_is_no_hold",
    "test_price_that_is_no_amount_is_refused",
    "test_what_a_user_takes_beyond_their_hold_counts_against_a_limit_and_what_is_held_counts_once",
    "test_what_is_held_on_the_row_and_in_the_head_of_one_lot_is_told_apart_or_made_up_for",
}


# Riddles: say "bad", "foreign" or "missing" of what is not as it should be, and name the actor.
RIDDLES = re.compile(
    r"_that_(is|are)_none|(?<!there)_(is|are)_no_(?!longer)|what_(is|are)_no|whoever|_who_is_no_|_doors?(_|$)"
)


def names(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name


def faults(source: str) -> list[str]:
    """Names that are too long, or riddles, or stand twice in a file (pytest runs only the last of those)."""
    found = Counter(names(source))
    return [
        name
        for name, times in found.items()
        if times > 1 or ((len(name) > LONGEST or RIDDLES.search(name)) and name not in LATER)
    ]


def test_names_of_tests_are_short_plain_and_unique() -> None:
    known = {path: path.read_text() for path in TESTS.rglob("test_*.py")}
    assert sum(len(list(names(source))) for source in known.values()) > 1000
    assert {path.name: found for path, source in known.items() if (found := faults(source))} == {}


def test_long_cryptic_or_repeated_names_are_found() -> None:
    long = "test_" + "x" * (LONGEST - 4)
    assert faults(f"async def {long}(): pass") == [long]
    assert faults("def test_a(): pass\ndef test_b(): pass\ndef test_a(): pass") == ["test_a"]
    for riddle in ("test_key_that_is_none", "test_what_is_no_key", "test_this_is_no_key", "test_a_door"):
        assert faults(f"def {riddle}(): pass") == [riddle]
    assert faults(f"def {long[:LONGEST]}(): pass\ndef test_key_is_no_longer_known(): pass") == []
