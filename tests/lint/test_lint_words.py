"""Comments, docstrings and names of the program keep to the rules for words: one word, one meaning."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs.test_docs_words import riddles

pytestmark = pytest.mark.one_version

ROOT = Path(__file__).parents[2]
# The program, and the tests. Names of tests are read by test_lint_names.py.
FOLDERS = ("api", "bench", "docs/examples", "tests")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
TAKEN = ("door", "catalogue", "settle")  # parts of names: the HTTP API, a price list's catalog, a shortfall


def prose(text: str) -> Iterator[str]:
    """The comments and docstrings of a module."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def names(text: str) -> Iterator[str]:
    """Every name in the code of a module."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME:
            yield token.string


def wrong(text: str) -> set[str]:
    """Words and names of a module that break the rules."""
    words = {word for part in prose(text) for word in riddles(part) if not word.endswith("None")}
    words |= {match[0] for part in prose(text) for match in re.finditer(r"\bsettl\w+", part, re.I)}
    return words | {name for name in names(text) if any(word in name.lower() for word in TAKEN)}


def test_words_of_the_program_have_one_meaning() -> None:
    assert len(SOURCES) > 100
    found = {str(path.relative_to(ROOT)): wrong(path.read_text()) for path in SOURCES}
    assert {path: words for path, words in found.items() if words} == {}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("x = 1  # as the door does", "door"),
        ('"""What the catalogue says."""', "catalogue"),
        ("def f():\n    'Whoever asks.'", "Whoever"),
        ("class Door:\n    pass", "Door"),
        ("settle_head = 1", "settle_head"),
        ("x = 1  # the bank debit settles", "settles"),
    ],
)
def test_a_word_with_a_second_meaning_is_found(text: str, word: str) -> None:
    assert wrong(text) == {word}
