"""A query: what a query string asks of a source, as one statement.

    select=col,alias:col   col=gte.5   or=(…)   order=col.desc   limit=10   offset=20

The statement answers one row: the rows as text, how many they are, how many there are on all pages if that
was asked for, and the response.headers and response.status that SQL has set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pgcredits.http.database.pools import Statement
from pgcredits.http.database.schema_cache import SCHEMA
from pgcredits.http.dialect import ordering, paging, selection
from pgcredits.http.dialect.conditions import TREES, Conditions
from pgcredits.http.dialect.fields import Source
from pgcredits.http.dialect.media_types import MediaType
from pgcredits.http.dialect.paging import Page
from pgcredits.http.dialect.scanner import unsupported
from pgcredits.http.dialect.sql import Sql, fill, join, quoted, value
from pgcredits.http.errors import bad_request

SCALAR = "pgrst_scalar"  # the column of a function that returns no rows

WORDS = frozenset({"select", "order", "limit", "offset", "columns", "on_conflict", *TREES})
# What SQL says of the response, by PostgREST's settings.
RESPONSE = "current_setting('response.headers', true), current_setting('response.status', true)"

_ANSWER = "select {}, {}, {}, " + RESPONSE
_PAGE = " from ({}) as _row"
_CALLED = "with _called as materialized ({}) "
_TOUCHED = ", (select count(*) from _called)"

_UNCOUNTED = Sql("null::bigint")

_ONCE = ("select", "order", "limit", "offset")


@dataclass(frozen=True, slots=True)
class Query:
    """Columns as labels and SQL, or None for all. All `conditions` must be true of a row."""

    source: Source
    columns: list[tuple[str, Sql]] | None = None
    conditions: list[Sql] = field(default_factory=list)
    order: list[Sql] = field(default_factory=list)
    page: Page = field(default_factory=Page)

    def of_view(self, name: str, media_type: MediaType, max_rows: int, *, counted: bool) -> Statement:
        """The statement that reads a view."""
        source = Sql(f"{SCHEMA}.{quoted(name)} as _source")
        total = self._total(source) if counted else _UNCOUNTED
        text = self._text(media_type, scalar=False)
        sql = fill(_ANSWER + _PAGE, text, Sql("count(*)"), total, self._rows(source, max_rows))
        return Statement(sql.text, sql.values)

    def of_call(
        self,
        call: Statement,
        media_type: MediaType,
        max_rows: int,
        *,
        counted: bool,
        scalar: bool,
        one: bool,
    ) -> Statement:
        """The statement that makes a call, and reads the rows that it returns.

        `one`: it returns one row, and the answer is that row, or null if a condition is not true of it. The
        rows of the call are always counted. So the function is called even where no row of it is asked for.
        """
        source = Sql("_called as _source")
        made = Sql(call.sql, tuple(call.values))  # type: ignore[arg-type]
        media_type = replace(media_type, single=True) if one and not media_type.csv else media_type
        text = self._text(media_type, scalar=scalar)
        total = self._total(source) if counted else _UNCOUNTED
        count = Sql("1" if one else "count(*)")
        sql = fill(
            _CALLED + _ANSWER + _TOUCHED + _PAGE, made, text, count, total, self._rows(source, max_rows)
        )
        return replace(call, sql=sql.text, values=sql.values)

    def _rows(self, source: Sql, max_rows: int) -> Sql:
        limit = max_rows if self.page.limit is None else min(self.page.limit, max_rows)
        columns = Sql("_source.*")
        if self.columns is not None:
            columns = join(", ", selection.named(self.columns))
        parts = [fill("select {} from {}", columns, source), self._where()]
        if self.order:
            parts.append(fill(" order by {}", join(", ", self.order)))
        parts.append(Sql(f" limit {limit} offset {self.page.offset}"))
        return join("", parts)

    def _total(self, source: Sql) -> Sql:
        return fill("(select count(*) from {}{})", source, self._where())

    def _where(self) -> Sql:
        return fill(" where {}", join(" and ", self.conditions)) if self.conditions else Sql("")

    def _text(self, media_type: MediaType, *, scalar: bool) -> Sql:
        """The rows in the form that was asked for."""
        if media_type.csv:
            labels = self.source.types if self.columns is None else [label for label, _ in self.columns]
            header = ",".join(map(_csv, labels))
            # The text of a row is CSV in brackets, but for a backslash, which is doubled.
            lines = "replace(substring(_row::text, 2, length(_row::text) - 2), '\\\\', '\\')"
            return fill(f"{{}} || coalesce(string_agg({lines}, chr(10)), '')", value(header + "\n"))
        rows = f"json_agg(_row.{quoted(SCALAR)})" if scalar else "json_agg(_row.*)"
        if media_type.stripped:
            rows = f"json_strip_nulls({rows})"
        if media_type.single:
            return Sql(f"coalesce(({rows} -> 0)::text, 'null')")
        return Sql(f"coalesce({rows}::text, '[]')")


def parse(source: Source, given: Sequence[tuple[str, str]]) -> Query:
    """What a query string asks of a source.

    Raises ApiError: 400 PGRST100 (syntax, not supported), 400 42703 (column), 416 PGRST103 (limit, offset),
    422 for a value that the column cannot have.
    """
    words: dict[str, str] = {}
    conditions = Conditions(source)
    for name, text in given:
        if name in words:
            raise bad_request(f"{name} is given twice.")
        if name in _ONCE:
            words[name] = text
        elif name in WORDS and name not in TREES:
            raise unsupported(name, f"{name}={text}")
        elif "." in name and name not in TREES and "->" not in name and not name.startswith('"'):
            raise unsupported("filters on an embedded resource", name)
        else:
            conditions.add(name, text)
    limit = paging.number("limit", words["limit"]) if "limit" in words else None
    return Query(
        source,
        selection.read(source, words["select"])
        if words.get("select", "*").strip() not in ("", "*")
        else None,
        conditions.found,
        ordering.read(source, words["order"]) if words.get("order") else [],
        Page(paging.number("offset", words["offset"]) if "offset" in words else 0, limit),
    )


def _csv(label: str) -> str:
    """A label as a field of CSV."""
    return '"' + label.replace('"', '""') + '"' if any(c in label for c in ',"\r\n') else label
