"""No test asks that nothing at all was logged.

Test servers run in threads of the same process, so `caplog` also has their records, and those of libraries. A
test asks for a level, a logger or a text instead.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_version

TESTS = Path(__file__).parents[1]
WHOLE = {"caplog.records", "caplog.text", "caplog.messages", "caplog.record_tuples"}


def silences(text: str) -> set[int]:
    """The lines that ask for a log without any record."""
    if "caplog" not in text:
        return set()
    return {node.lineno for node in ast.walk(ast.parse(text)) if _denies(node) or _counts(node)}


def _denies(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and ast.unparse(node.operand) in WHOLE
    )


def _counts(node: ast.AST) -> bool:
    if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq):
        return False
    sides = {ast.unparse(side) for side in (node.left, *node.comparators)}
    logs = WHOLE | {f"len({name})" for name in WHOLE}
    return bool(sides & logs) and bool(sides & {"[]", "''", "0"})


def test_no_test_expects_an_empty_log() -> None:
    found = {
        path.relative_to(TESTS).as_posix(): lines
        for path in sorted(TESTS.rglob("*.py"))
        if (lines := silences(path.read_text()))
    }
    assert found == {}


@pytest.mark.parametrize(
    "text", ["assert not caplog.records", "assert caplog.text == ''", "assert len(caplog.records) == 0"]
)
def test_an_empty_log_is_seen(text: str) -> None:
    assert silences(text)


@pytest.mark.parametrize(
    "text",
    [
        "assert not [r for r in caplog.records if r.levelno >= logging.WARNING]",
        "assert 'secret' not in caplog.text",
        "assert caplog.text",
    ],
)
def test_a_question_about_some_records_is_allowed(text: str) -> None:
    assert silences(text) == set()
