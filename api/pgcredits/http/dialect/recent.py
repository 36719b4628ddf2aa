"""Recent queries of views: pages ask the same again and again.

A query means the same SQL until its view changes. A value is a part of the query that it came with, so a
query with other values is another one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from pgcredits.http.database.pools import Statement
from pgcredits.http.database.schema_cache import View
from pgcredits.http.dialect import query
from pgcredits.http.dialect.fields import Source
from pgcredits.http.dialect.media_types import MediaType
from pgcredits.http.dialect.paging import Page
from pgcredits.http.dialect.query_string import pairs
from pgcredits.http.dialect.wish import Wish

_KEPT = 500  # queries
_LONGEST = 300  # bytes of a query that is kept


def of_view(view: View, query_string: bytes, wish: Wish, max_rows: int) -> tuple[Page, Statement]:
    """The page that a query asks for, and the statement that reads it. Raises what query.parse raises."""
    length = len(query_string) + len(wish.range or "")
    make = _made if length <= _LONGEST else _made.__wrapped__
    return make(view, query_string, wish.range, wish.media_type, wish.preferences.counted, max_rows)


@lru_cache(_KEPT)
def _made(
    view: View, query_string: bytes, header: str | None, media_type: MediaType, counted: bool, max_rows: int
) -> tuple[Page, Statement]:
    source = Source.of(view.name, view.columns)
    asked = query.parse(source, pairs(query_string))
    asked = replace(asked, page=asked.page.within(header))
    return asked.page, asked.of_view(view.name, media_type, max_rows, counted=counted)
