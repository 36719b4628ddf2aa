"""Answers: the response that the row of a statement means."""

from __future__ import annotations

from typing import Any, TypeAlias

from litestar import Response

from pgcredits.http.dialect import response
from pgcredits.http.dialect.paging import Page
from pgcredits.http.dialect.query import Query
from pgcredits.http.dialect.wish import Wish
from pgcredits.http.errors import ApiError
from pgcredits.http.schema_cache import Function

_Row: TypeAlias = tuple[Any, ...]


def of_view(wish: Wish, page: Page, row: _Row | None) -> Response[bytes]:
    """The rows of a view. Raises ApiError 406 PGRST116, 416 PGRST103."""
    row = row or ("[]", 0)
    if wish.media_type.single:
        _refuse_others(row[1])
    return _respond(wish, page, row, page.status(row[1], _total(row)))


def of_call(function: Function, wish: Wish, asked: Query | None, row: _Row | None) -> Response[bytes]:
    """What a function returned. What it wrote is committed, so that we no longer refuse it."""
    row = row or ("null", 1)
    page = asked.page if asked else Page()
    if function.returns == "void":
        answer = _respond(wish, page, ("", *row[1:]), 204)
        del answer.headers["Content-Range"]
        return answer
    if not function.stable:
        total = _total(row)
        status = 206 if total is not None and row[1] < total else 200
        return _respond(wish, page, row, status)
    if wish.media_type.single:
        _refuse_others(row[1])
    return _respond(wish, page, row, page.status(row[1], _total(row)))


def _respond(wish: Wish, page: Page, row: _Row, status: int) -> Response[bytes]:
    """A row has the rows as text, their number, maybe their total, and what SQL says of the response."""
    text, count, total, told_headers, told_status = (*row, None, None, None)[:5]
    headers = {
        **wish.profile,
        **wish.preferences.applied,
        "Content-Range": page.content_range(count, total),
        **response.headers(told_headers),
    }
    return Response(
        str(text).encode(),
        status_code=response.status(told_status) or status,
        media_type=wish.media_type.name,
        headers=headers,
    )


def _total(row: _Row) -> int | None:
    return row[2] if len(row) > 2 else None


def _refuse_others(count: int) -> None:
    if count != 1:
        message = "Cannot coerce the result to a single JSON object"
        raise ApiError(406, "PGRST116", message, details=f"The result contains {count} rows")
