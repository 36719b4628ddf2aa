"""A test of SQL lies in the folder of its concept, as in `sql/`. Rules of the whole bank lie in `rules`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_version

ROOT = Path(__file__).parents[2]
CONCEPTS = {path.name for path in (ROOT / "sql" / "credits").iterdir()} | {"analytics", "audit", "rules"}
MOST = 15  # files in a folder


def faults(paths: Iterable[str]) -> list[str]:
    """Test files outside the folders of concepts, and folders with too many files."""
    folders = [path.rpartition("/")[0] for path in paths]
    return [
        *(path for path in paths if path.rpartition("/")[0] not in CONCEPTS),
        *sorted({folder for folder in folders if folders.count(folder) > MOST}),
    ]


def test_tests_of_sql_lie_where_their_concept_lies() -> None:
    tests = ROOT / "tests" / "sql"
    paths = [path.relative_to(tests).as_posix() for path in sorted(tests.rglob("test_*.py"))]
    assert len(paths) > 60
    assert faults(paths) == []


def test_misplaced_tests_and_full_drawers_are_found() -> None:
    assert faults(["test_a.py", "lots/test_b.py", "drawer/test_c.py"]) == ["test_a.py", "drawer/test_c.py"]
    assert faults([f"lots/test_{n}.py" for n in range(MOST + 1)]) == ["lots"]
