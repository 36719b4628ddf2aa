"""The query string of a view, in PostgREST's dialect, as one SELECT.

    select=col,alias:col,*   col=eq.value   order=col.desc.nullslast,…   limit=10   offset=20

Names are looked up in the schema cache before they become SQL. Values are parameters without a type, so
PostgreSQL converts and refuses them. What we do not support of the dialect is refused by its name: an
answer that ignored a filter would be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from pgcredits.http import arguments
from pgcredits.http.db import Statement
from pgcredits.http.errors import ApiError, bad_request, refuse
from pgcredits.http.rpc import quoted
from pgcredits.http.schema_cache import SCHEMA, View

_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}\Z")
_WHOLE = re.compile(r"[0-9]{1,18}\Z")
_OPERATORS = {
    *("neq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch", "in", "is", "isdistinct", "not"),
    *("cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj", "fts", "plfts", "phfts", "wfts"),
}
FEATURES = {"and", "or", "not.and", "not.or", "columns", "on_conflict"}
_DIRECTIONS = {"asc": " asc", "desc": " desc"}
_NULLS = {"nullsfirst": " nulls first", "nullslast": " nulls last"}


@dataclass(slots=True)
class Query:
    """A parsed query: output columns as (alias, column), filters as (column, value), order as SQL terms."""

    columns: list[tuple[str, str]]
    filters: list[tuple[str, str]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0

    def statement(self, view: View, max_rows: int) -> Statement:
        """One row: the JSON array as text, and the number of its members (at most `max_rows`)."""
        columns = ", ".join(f"_source.{quoted(c)} as {quoted(alias)}" for alias, c in self.columns)
        sql = f"select {columns} from {SCHEMA}.{quoted(view.name)} as _source"  # noqa: S608 (quoted)
        if self.filters:
            sql += " where " + " and ".join(f"_source.{quoted(column)} = %s" for column, _ in self.filters)
        if self.order:
            sql += " order by " + ", ".join(self.order)
        limit = max_rows if self.limit is None else min(self.limit, max_rows)
        sql += f" limit {limit} offset {self.offset}"
        sql = f"select coalesce(json_agg(_row.*)::text, '[]'), count(*) from ({sql}) as _row"  # noqa: S608
        return Statement(sql, tuple(value for _, value in self.filters))


def is_filter(value: str) -> bool:
    """Does this read as an operator and its operand, as in `gte.10`, `not.is.null` or `eq(any).{1,2}`?"""
    operator = value.removeprefix("not.").partition(".")[0].partition("(")[0]
    return "." in value and (operator == "eq" or operator in _OPERATORS)


def pairs(query_string: bytes, plus: bytes = b" ") -> list[tuple[str, str]]:
    """Names and values in order, percent-decoded. A + is a space, as in forms, or what `plus` says.

    Raises ApiError for text that PostgreSQL cannot hold.
    """
    try:
        found = [
            (_decoded(name, plus), _decoded(value, plus))
            for name, _, value in (part.partition(b"=") for part in query_string.split(b"&") if part)
        ]
    except UnicodeDecodeError:
        raise bad_request("The query string is not valid UTF-8.") from None
    for name, value in found:
        if "\0" in name or "\0" in value:
            raise refuse(
                422, "bad_key" if name == "idempotency_key" else "bad_text", f"{name!r} contains NUL."
            )
    return found


def parse(view: View, given: Sequence[tuple[str, str]]) -> Query:
    """What a query string asks of a view.

    Raises ApiError: 400 PGRST100 (syntax, not supported), 400 42703 (column), 416 PGRST103 (limit, offset),
    422 for a value that the column cannot have.
    """
    known = [column.name for column in view.columns]
    types = {column.name: column.type for column in view.columns}
    query = Query([(name, name) for name in known])
    once: set[str] = set()
    for name, value in given:
        if name in ("select", "order", "limit", "offset"):
            if name in once:
                raise bad_request(f"{name} is given twice.")
            once.add(name)
        if name == "select":
            query.columns = _select(view.name, known, value)
        elif name == "order":
            query.order = [_term(view.name, known, item) for item in value.split(",")]
        elif name == "limit":
            query.limit = _number(name, value)
        elif name == "offset":
            query.offset = _number(name, value)
        else:
            column, sought = _filter(view.name, known, name, value)
            query.filters.append((column, arguments.from_text(column, types[column], sought)))
    return query


def _decoded(part: bytes, plus: bytes) -> str:
    return unquote_to_bytes(part.replace(b"+", plus)).decode()


def _column(view: str, known: list[str], name: str) -> str:
    if "->" in name:
        raise _unsupported("JSON paths", name)
    if "::" in name:
        raise _unsupported("casts", name)
    if name not in known:
        raise ApiError(400, "42703", f"column {view}.{name} does not exist")
    return name


def _select(view: str, known: list[str], value: str) -> list[tuple[str, str]]:
    columns: list[tuple[str, str]] = []
    for item in value.split(","):
        if "(" in item or ")" in item:
            raise _unsupported("embedding and aggregates", item)
        if item == "*":
            columns += [(name, name) for name in known]
            continue
        alias, colon, name = item.replace("::", "\0").partition(":")
        if not colon:
            alias = name = item
        name = _column(view, known, name.replace("\0", "::"))
        if colon and not _ALIAS.match(alias):
            raise bad_request(f"{alias!r} cannot be an alias: a letter, then letters, digits and _.")
        columns.append((alias, name))
    return columns


def _term(view: str, known: list[str], item: str) -> str:
    name, *modifiers = item.split(".")
    term = f"_source.{quoted(_column(view, known, name))}"
    for words in (_DIRECTIONS, _NULLS):
        if modifiers and modifiers[0] in words:
            term += words[modifiers.pop(0)]
    if modifiers:
        raise bad_request(f"failed to parse order ({item})")
    return term


def _filter(view: str, known: list[str], name: str, condition: str) -> tuple[str, str]:
    if name in FEATURES:
        raise _unsupported(name, f"{name}={condition}")
    if "." in name:
        raise _unsupported("filters on an embedded resource", name)
    column = _column(view, known, name)
    operator, dot, value = condition.partition(".")
    word, modified, _ = operator.partition("(")
    if dot and operator == "eq":
        return column, value
    if word in _OPERATORS:
        raise _unsupported(f"the operator {word}", f"{name}={condition}")
    if word == "eq" and modified:
        raise _unsupported("any() and all()", f"{name}={condition}")
    raise bad_request(f"failed to parse filter ({condition})", "A filter is written column=eq.value.")


def _number(name: str, value: str) -> int:
    if value.startswith("-") and _WHOLE.match(value[1:]):
        text = f"{name.capitalize()} should be greater than or equal to zero."
        raise ApiError(416, "PGRST103", "Requested range not satisfiable", details=text)
    if not _WHOLE.match(value):
        raise bad_request(f"{name} must be a whole number of at most 18 digits.")
    return int(value)


def _unsupported(what: str, where: str) -> ApiError:
    return bad_request(f"Not supported yet: {what}.", where)
