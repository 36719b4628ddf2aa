"""The name of a test is a rule in at most about ten words: CONTRIBUTING.md, "Rules for words"."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_version

TESTS = Path(__file__).parents[1]
LONGEST = 80

# Riddles: say "bad", "foreign" or "missing" of what is not as it should be, and name the actor.
# "what_is_held" is a thing without its name: "held_tokens".
RIDDLES = re.compile(
    r"^test_what_|_that_(is|are)_none|(?<!there)_(is|are)_no_(?!longer)|what_(is|are)_(no|held)|_what_comes_"
    r"|_of_nothing_|whoever|_who_is_no|_one_is_anonymous|_oneself|_ones_account|_doors?(_|$)|_catalogues?(_|$)"
    r"|lets?_go(_|$)|_at_its_moment"
)


def names(source: str) -> Counter[str]:
    """The names of a file's tests, and how often each occurs."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return Counter(
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, functions) and node.name.startswith("test_")
    )


def faults(found: Counter[str]) -> list[str]:
    """Names that are too long, are riddles, or occur twice in a file (pytest would run only the last one)."""
    return [name for name, times in found.items() if times > 1 or len(name) > LONGEST or RIDDLES.search(name)]


def test_names_of_tests_are_short_plain_and_unique() -> None:
    known = {path: names(path.read_text()) for path in TESTS.rglob("test_*.py")}
    assert sum(map(len, known.values())) > 1000
    assert {path.name: wrong for path, found in known.items() if (wrong := faults(found))} == {}


def test_long_cryptic_or_repeated_names_are_found() -> None:
    long = "test_" + "x" * (LONGEST - 4)
    assert faults(names(f"async def {long}(): pass")) == [long]
    assert faults(names("def test_a(): pass\ndef test_b(): pass\ndef test_a(): pass")) == ["test_a"]
    for riddle in (
        *("test_key_that_is_none", "test_what_is_no_key", "test_this_is_no_key", "test_a_door"),
        *("test_what_is_held_counts", "test_a_catalogue", "test_hold_lets_go", "test_one_is_anonymous"),
    ):
        assert faults(names(f"def {riddle}(): pass")) == [riddle]
    assert faults(names(f"def {long[:LONGEST]}(): pass\ndef test_key_is_no_longer_known(): pass")) == []
