"""The pages of docs/runbooks: their SQL runs on a bank, their commands exist, and the index leads to each."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import psycopg
import pytest
from callers import Connection
from docs.test_docs_paths import ROOT
from docs.test_docs_recipes import examples

from pgcredits.cli import main

pytestmark = pytest.mark.one_version

FOLDER = ROOT / "docs/runbooks"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.name != "README.md")
HEADINGS = [
    "When you need it",
    "What you see",
    "What to do",
    "How you know that it worked",
    "What can go wrong",
]


def strange_commands(text: str) -> Iterator[str]:
    """Commands of pgcredits in transcripts that do not exist, or that do not know one of their options."""
    for block in re.findall(r"^ *```console\n(.*?)^ *```$", text, re.M | re.S):
        for line in re.findall(r"^ *\$ (.*)$", re.sub(r"\\\n\s*", "", block), re.M):
            for part in re.findall(r"(?:^|\s)pgcredits( [^|<>()]*)", line):
                yield from (f"pgcredits{part}: {word}" for word in unknown_words(shlex.split(part)))


def unknown_words(words: list[str]) -> Iterator[str]:
    command: click.Command = main
    options: set[str] = set()
    for word in words:
        if isinstance(command, click.Group) and word in command.commands:
            command = command.commands[word]
            options |= {name for option in command.params for name in option.opts}
        elif word.startswith("--") and word.partition("=")[0] not in options:
            yield word
    if command is main:
        yield "no command"


def test_sql_of_every_runbook_runs(db: Connection) -> None:
    """As the administrator. The bank may refuse an example's name or number, never how it is written."""
    db.execute("select api.add_tokens(user_id => 'ada', tokens => 500, reason => 'promo')")
    ran = 0
    for page in PAGES:
        for block in examples(str(page.relative_to(ROOT))):
            with db.transaction(force_rollback=True):
                try:
                    db.execute(block.encode())
                except psycopg.Error as error:
                    assert (error.sqlstate or "").startswith("PT4"), f"{page.name}: {error}\n{block}"
            ran += 1
    assert ran >= 10


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_runbook_has_its_parts_and_its_commands_exist(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"^## (.+)$", text, re.M) == HEADINGS
    assert list(strange_commands(text)) == []
    assert f"]({page.name})" in (FOLDER / "README.md").read_text()


def test_command_that_does_not_exist_is_found() -> None:
    lines = ("$ pgcredits audit --onyl x | tail", "$ A=b pgcredits mantain", "$ pgcredits audit --only x")
    text = "\n".join(("```console", *lines, "```\n"))
    assert [found.rpartition(" ")[2] for found in strange_commands(text)] == ["--onyl", "command"]
