"""Comments, docstrings and names of the program keep to the rules for words: one word, one meaning."""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from pathlib import Path

import pytest
from docs.test_docs_words import riddles

pytestmark = pytest.mark.one_version

ROOT = Path(__file__).parents[2]
# The program, and the tests. Names of tests are read by test_lint_names.py.
FOLDERS = ("api", "bench", "docs/examples", "tests")
TYPESCRIPT = ("api/typescript", "docs/examples")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
TAKEN = ("door", "catalogue", "settle")  # parts of names: the HTTP API, a price list's catalog, a shortfall


_LAYOUT = (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT)


def read(text: str) -> tuple[list[str], list[str]]:
    """The prose of a module, which is its comments and docstrings, and every name in its code."""
    prose, names = [], []
    before = last = ""  # the tokens of code before this one; "" begins a statement
    for kind, token, *_ in tokenize.generate_tokens(io.StringIO(text).readline):
        if kind == tokenize.COMMENT:
            prose.append(token)
        elif kind == tokenize.NAME:
            names.append(token)
        elif kind == tokenize.NEWLINE and before in ("", ":") and last.endswith(("'", '"')):
            prose.append(inspect.cleandoc(ast.literal_eval(last)))
        if kind not in _LAYOUT:
            before, last = last, "" if kind == tokenize.NEWLINE else token
    return prose, names


def wrong(text: str) -> set[str]:
    """Words and names of a module that break the rules."""
    prose, names = read(text)
    words = {word for part in prose for word in riddles(part) if not word.endswith("None")}
    words |= {match[0] for part in prose for match in re.finditer(r"\bsettl\w+", part, re.I)}
    return words | {name for name in names if any(word in name.lower() for word in TAKEN)}


def test_words_of_the_program_have_one_meaning() -> None:
    assert len(SOURCES) > 100
    found = {str(path.relative_to(ROOT)): wrong(path.read_text()) for path in SOURCES}
    assert {path: words for path, words in found.items() if words} == {}


def wrong_in_typescript(text: str) -> set[str]:
    """Words of the comments of a program in TypeScript that break the rules."""
    comments = re.findall(r"/\*\*?(.*?)\*/|(?:^|\s)//(.*?)$", text, re.S | re.M)
    return {word for comment in comments for part in comment for word in riddles(part)}


def test_words_of_the_typescript_client_have_one_meaning() -> None:
    sources = [path for folder in TYPESCRIPT for path in (ROOT / folder).rglob("*.ts")]
    sources = [path for path in sources if not {"node_modules", "dist"} & set(path.parts)]
    assert len(sources) > 15
    found = {str(path.relative_to(ROOT)): wrong_in_typescript(path.read_text()) for path in sources}
    assert {path: words for path, words in found.items() if words} == {}


@pytest.mark.parametrize("text", ["/** As the door does. */", "let x = 1; // whoever asks", "// a catalogue"])
def test_a_riddle_in_typescript_is_found(text: str) -> None:
    assert wrong_in_typescript(text)
    assert not wrong_in_typescript('const door = "a door"; // `door`')


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("x = 1  # as the door does", "door"),
        ('"""What the catalogue says."""', "catalogue"),
        ("def f():\n    'Whoever asks.'", "Whoever"),
        ('class A:\n    # A.\n    """Whoever."""', "Whoever"),
        ('class A: "Whoever."', "Whoever"),
        ("x = 1\n\n\ndef f():\n    '''One.\n\n    The door.'''", "door"),
        ("class Door:\n    pass", "Door"),
        ("settle_head = 1", "settle_head"),
        ("x = 1  # the bank debit settles", "settles"),
    ],
)
def test_a_word_with_a_second_meaning_is_found(text: str, word: str) -> None:
    assert wrong(text) == {word}
