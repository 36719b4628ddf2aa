"""Pieces of SQL. Each brings the values of its own placeholders, so the two cannot get out of step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sql:
    """SQL with a %s for each of the values."""

    text: str
    values: tuple[str, ...] = ()


def value(text: str) -> Sql:
    """A bound parameter without a type."""
    return Sql("%s", (text,))


def fill(template: str, *parts: Sql) -> Sql:
    """The template, with one part for each {} in it."""
    return Sql(template.format(*(part.text for part in parts)), _values(parts))


def join(separator: str, parts: Iterable[Sql]) -> Sql:
    """The parts, with the separator between them."""
    listed = tuple(parts)
    return Sql(separator.join(part.text for part in listed), _values(listed))


def quoted(name: str) -> str:
    """An identifier, safe inside a statement with %s placeholders."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


def _values(parts: tuple[Sql, ...]) -> tuple[str, ...]:
    return tuple(one for part in parts for one in part.values)
