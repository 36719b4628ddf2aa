"""Answers: the response that the row of a statement means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from litestar.datastructures import Cookie
from litestar.types import Receive, Scope, Send

from pgcredits.http.database.schema_cache import Function
from pgcredits.http.dialect import response
from pgcredits.http.dialect.paging import Page
from pgcredits.http.dialect.query import Query
from pgcredits.http.dialect.wish import Wish
from pgcredits.http.errors import ApiError

_Row: TypeAlias = tuple[Any, ...]
_EMPTY = {204, 304}  # statuses of answers without a body


@dataclass(slots=True)
class Answer:
    """A response that is ready to be sent. Litestar's own would be built in three steps, at every call.

    The names of `headers` are in small letters.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: Sequence[Cookie] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, as an ASGI application does."""
        headers = [(name.encode(), text.encode("latin-1")) for name, text in self.headers.items()]
        if self.cookies:
            headers += [cookie.to_encoded_header() for cookie in self.cookies]
        body = self.body
        if self.status in _EMPTY:
            body = b""
        else:
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


def of_view(wish: Wish, page: Page, row: _Row | None) -> Answer:
    """The rows of a view. Raises ApiError 406 PGRST116, 416 PGRST103."""
    row = row or ("[]", 0)
    if wish.media_type.single:
        _refuse_others(row[1])
    return _respond(wish, page, row, page.status(row[1], _total(row)))


def of_call(function: Function, wish: Wish, asked: Query | None, row: _Row | None) -> Answer:
    """What a function returned. What it wrote is committed, so that we no longer refuse it."""
    row = row or ("null", 1)
    page = asked.page if asked else Page()
    if function.returns == "void":
        answer = _respond(wish, page, ("", *row[1:]), 204)
        del answer.headers["content-range"]
        return answer
    if not function.stable:
        total = _total(row)
        status = 206 if total is not None and row[1] < total else 200
        return _respond(wish, page, row, status)
    if wish.media_type.single:
        _refuse_others(row[1])
    return _respond(wish, page, row, page.status(row[1], _total(row)))


def _respond(wish: Wish, page: Page, row: _Row, status: int) -> Answer:
    """A row has the rows as text, their number, maybe their total, and what SQL says of the response."""
    text, count, total, told_headers, told_status = (*row, None, None, None)[:5]
    status = response.status(told_status) or status
    headers = dict(wish.headers)
    if status not in _EMPTY:
        headers["content-type"] = wish.media_type.header
    headers["content-range"] = page.content_range(count, total)
    if told_headers:
        headers.update(response.headers(told_headers))
    return Answer(status, headers, str(text).encode())


def _total(row: _Row) -> int | None:
    return row[2] if len(row) > 2 else None


def _refuse_others(count: int) -> None:
    if count != 1:
        message = "Cannot coerce the result to a single JSON object"
        raise ApiError(406, "PGRST116", message, details=f"The result contains {count} rows")
