"""Find the statements of sql/ that lock a table or a view, to leave them out when nothing has changed.

CREATE OR REPLACE VIEW and TRIGGER, CREATE POLICY and ENABLE ROW LEVEL SECURITY lock out every reader or
writer, even when they change nothing. COMMENT ON a table or a column waits for VACUUM and for concurrent
indexes. Everything else in sql/ locks no table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import sqlparse

from pgcredits.bank.migrate.files import digest

_NAME = r"[\w.]+"
_PATTERNS = {
    "function": re.compile(rf"create or replace (?:function|procedure) (?P<name>{_NAME})", re.I),
    "view": re.compile(rf"create or replace view (?P<name>{_NAME})", re.I),
    "trigger": re.compile(
        rf"create (?:or replace )?trigger (?P<name>\w+)\s.*?\bon (?P<table>{_NAME})", re.I | re.S
    ),
    "policy": re.compile(rf"create policy (?P<name>\w+) on (?P<table>{_NAME})", re.I),
    "always": re.compile(rf"alter table (?P<table>{_NAME}) enable always trigger (?P<name>\w+)", re.I),
    "comment": re.compile(
        r"comment on (?P<what>schema|table|column|index|view|type|domain) (?P<name>[\w.]+) is\s+'", re.I
    ),
}
_STRING = re.compile(r"'((?:[^']|'')*)'")
_LEADING = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*", re.S)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a file. `kind` is empty when it takes no strong lock."""

    kind: str
    name: str  # as credits.standing_objects() has it
    text: str

    @property
    def key(self) -> tuple[str, str]:
        return ("trigger", self.name) if self.kind == "always" else (self.kind, self.name)

    @property
    def source(self) -> str:
        return digest(self.text.strip())

    @property
    def comment(self) -> str:
        """The text of a comment. PostgreSQL joins string constants on several lines."""
        begins = _leading(self.text)
        return "".join(_STRING.findall(self.text, begins)).replace("''", "'")


@lru_cache(maxsize=1024)  # sqlparse is slow, and a reload asks three times for the same file
def split(text: str) -> tuple[Statement, ...]:
    """The statements of a file, in order. Together they are its text."""
    statements, position = [], 0
    for part in sqlparse.split(text):
        start = text.index(part, position)
        end = start + len(part)
        statements.append(_classify(text[position:end]))
        position = end
    if text[position:].strip():
        statements.append(Statement("", "", text[position:]))
    return tuple(statements)


def leave_out(text: str, unwanted: Callable[[Statement], bool]) -> str:
    """The text without some of its statements. The others keep their lines."""
    return "".join(
        re.sub(r"[^\n]+", "", statement.text) if unwanted(statement) else statement.text
        for statement in split(text)
    )


def _leading(text: str) -> int:
    """Where a statement begins, after comments and spaces."""
    found = _LEADING.match(text)
    return found.end() if found else 0


def _classify(text: str) -> Statement:
    begins = _leading(text)
    for kind, pattern in _PATTERNS.items():
        found = pattern.match(text, begins)
        if found:
            table, what = (found.groupdict().get(group) for group in ("table", "what"))
            name = f"{what} {found['name']}" if what else found["name"]
            return Statement(kind, f"{name} on {table}" if table else name, text)
    return Statement("", "", text)
