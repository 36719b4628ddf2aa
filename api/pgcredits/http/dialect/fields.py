"""Fields: a column of the source, and perhaps a path into it.

tokens   "tokens"   metadata->>tag   draws->0->lot_id
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgcredits.http.database.schema_cache import Column
from pgcredits.http.dialect.scanner import Scanner
from pgcredits.http.dialect.sql import Sql, fill, join, quoted, value
from pgcredits.http.errors import ApiError

NAME = re.compile(r"[\w $]+(?:-(?!>)[\w $]+)*")  # as PostgREST has it, with blanks around it
MOST_STEPS = 20  # of a path

_ARROW = re.compile(r"->>?")
_INDEX = re.compile(r"(-?[0-9]{1,9})(?=->|::|[.,)]|\Z)")
_KEY = re.compile(r"[^-(:.,>)]+(?:-(?!>)[^-(:.,>)]+)*")
_JSON = ("json", "jsonb")


@dataclass(frozen=True, slots=True)
class Source:
    """What a query reads: a view, or the rows that a function returns. `types` has every column, in order."""

    name: str
    types: Mapping[str, str]

    @classmethod
    def of(cls, name: str, columns: Sequence[Column]) -> Source:
        return cls(name, {column.name: column.type for column in columns})

    def column(self, name: str) -> Field:
        """Raises ApiError 400 42703."""
        if name not in self.types:
            raise ApiError(400, "42703", f"column {self.name}.{name[:100]} does not exist")
        return Field(Sql(f"_source.{quoted(name)}"), name, self.types[name], column=name)


@dataclass(frozen=True, slots=True)
class Field:
    """`label` is the name of the field in an answer. `column` is None when there is a path."""

    sql: Sql
    label: str
    type: str
    column: str | None = None


def read_name(scanner: Scanner) -> str | None:
    """The name of a column or an alias, with or without quotes."""
    name = scanner.quoted()
    if name is None and (found := scanner.take(NAME)):
        name = found[0].strip()
    return name or None


def read(scanner: Scanner, source: Source) -> Field:
    """The field that begins here. Raises ApiError 400 PGRST100, 42703."""
    name = read_name(scanner)
    if name is None:
        raise scanner.failed("the name of a column")
    column = source.column(name)
    label, kind, steps = name, column.type, list[Sql]()
    while arrow := scanner.take(_ARROW):
        if len(steps) == MOST_STEPS:
            raise scanner.failed(f"a path of at most {MOST_STEPS} steps")
        kind = "text" if arrow[0] == "->>" else "jsonb"
        if index := scanner.take(_INDEX):
            steps.append(Sql(f" {arrow[0]} ({int(index[1])})"))
            continue
        label = _key(scanner)
        steps.append(fill(f" {arrow[0]} {{}}", value(label)))
    if not steps:
        return column
    whole = column.sql if column.type in _JSON else fill("to_jsonb({})", column.sql)
    return Field(fill("({})", join("", [whole, *steps])), label, kind)


def _key(scanner: Scanner) -> str:
    key = scanner.quoted()
    if key is None and (found := scanner.take(_KEY)):
        key = found[0].strip()
    if not key:
        raise scanner.failed("a key or an index")
    return key
