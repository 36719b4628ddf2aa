"""A test lies in the folder of its concept, as the code does. Rules of the whole bank lie in `rules`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_version

ROOT = Path(__file__).parents[2]
CONCEPTS = {path.name for path in (ROOT / "sql" / "credits").iterdir()} | {"analytics", "audit", "rules"}
# "": what concerns every request.
ROOMS = {"", *(path.parent.name for path in (ROOT / "api/pgcredits/http").glob("*/__init__.py"))}
MOST = 15  # files in a folder


def faults(paths: Iterable[str], known: Collection[str]) -> list[str]:
    """Test files outside the known folders, and folders with too many files."""
    folders = [path.rpartition("/")[0] for path in paths]
    return [
        *(path for path in paths if path.rpartition("/")[0] not in known),
        *sorted({folder for folder in folders if folders.count(folder) > MOST}),
    ]


def files_in(folder: str) -> list[str]:
    tests = ROOT / "tests" / folder
    return [path.relative_to(tests).as_posix() for path in sorted(tests.rglob("test_*.py"))]


def test_tests_of_sql_lie_where_their_concept_lies() -> None:
    assert len(files_in("sql")) > 60
    assert faults(files_in("sql"), CONCEPTS) == []


def test_tests_of_the_http_api_lie_where_their_package_lies() -> None:
    assert len(files_in("http")) > 30
    assert len(ROOMS) > 7
    assert faults(files_in("http"), ROOMS) == []


def test_misplaced_tests_and_full_drawers_are_found() -> None:
    misplaced = ["test_a.py", "lots/test_b.py", "drawer/test_c.py"]
    assert faults(misplaced, CONCEPTS) == ["test_a.py", "drawer/test_c.py"]
    assert faults(misplaced, ROOMS) == ["lots/test_b.py", "drawer/test_c.py"]
    assert faults([f"lots/test_{n}.py" for n in range(MOST + 1)], CONCEPTS) == ["lots"]
