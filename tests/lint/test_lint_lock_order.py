"""The lock order is written in one place. Everything else that mentions it links there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_version

ROOT = Path(__file__).parents[2]
TOLD = ROOT / "sql" / "README.md"


def mentions(text: str) -> list[str]:
    """The paragraphs and comments about the lock order."""
    return [part for part in re.split(r"\n(?:--)?\n|\n- ", text) if re.search(r"lock order", part, re.I)]


def test_the_lock_order_is_told_once() -> None:
    assert re.search(r"^## Lock order$", TOLD.read_text(), re.M)
    files = [
        *ROOT.glob("*.md"),
        *(page for page in ROOT.glob("docs/**/*.md") if "node_modules" not in page.parts),
        *ROOT.glob("sql/**/*.sql"),
        *ROOT.glob("api/**/*.py"),
    ]
    elsewhere = {
        path.relative_to(ROOT).as_posix(): part
        for path in files
        for part in mentions(path.read_text())
        if "sql/README.md" not in part
    }
    assert elsewhere == {}


def test_a_second_telling_is_seen() -> None:
    assert mentions("Rules.\n\n- **Lock order**: the wallet, then the rest.\n- Another rule.")
