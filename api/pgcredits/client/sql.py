"""Calls in the application's own transaction, sync and async: committed with its rows, or not at all.

A call runs in a savepoint, so a refusal leaves the transaction as it was before the call. Nothing here
commits, and nothing rolls back more than the call.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import PipelineStatus, TransactionStatus
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from pgcredits.client.answers import facts_of
from pgcredits.client.calls import Call, R, encode
from pgcredits.client.errors import (
    BankError,
    NotAllowed,
    NoTransaction,
    TransactionFailed,
    Unavailable,
    refusal,
)

Connection = psycopg.Connection[Any]
AsyncConnection = psycopg.AsyncConnection[Any]

_Query = tuple[sql.SQL | sql.Composed, dict[str, Any]]
_SAVE = sql.SQL("savepoint pgcredits_call")
_FORGET = sql.SQL("release savepoint pgcredits_call")
_UNDO = sql.SQL("rollback to savepoint pgcredits_call")
_ACT = sql.SQL("select current_setting('role'), set_config('role', %(role)s, true)")
_DENIED = "42501"
_WAITED = ("55P03", "57014")  # lock_timeout and statement_timeout of the application's login


def run(conn: Connection, call: Call[R], role: str | None) -> R:
    """Raises BankError, and psycopg.Error for what is not the bank's."""
    check(conn)
    steps = _steps(conn, call, role)
    with conn.cursor(row_factory=tuple_row) as cursor:
        query, parameters = next(steps)
        while True:
            try:
                cursor.execute(query, parameters)
                row = cursor.fetchone() if cursor.description else None
            except psycopg.Error as error:
                query, parameters = steps.throw(error)
                continue
            try:
                query, parameters = steps.send(row)
            except StopIteration as done:
                return call.read(done.value)


async def run_async(conn: AsyncConnection, call: Call[R], role: str | None) -> R:
    """Raises BankError, and psycopg.Error for what is not the bank's."""
    check(conn)
    steps = _steps(conn, call, role)
    async with conn.cursor(row_factory=tuple_row) as cursor:
        query, parameters = next(steps)
        while True:
            try:
                await cursor.execute(query, parameters)
                row = await cursor.fetchone() if cursor.description else None
            except psycopg.Error as error:
                query, parameters = steps.throw(error)
                continue
            try:
                query, parameters = steps.send(row)
            except StopIteration as done:
                return call.read(done.value)


def check(conn: Connection | AsyncConnection) -> None:
    """Raises TransactionFailed, NoTransaction or Unavailable if no call can be a part of it."""
    status = conn.info.transaction_status
    if conn.closed or status == TransactionStatus.UNKNOWN:
        raise Unavailable(
            "the connection is closed or broken: whatever its transaction did is undone",
            status=503,
            slug="unavailable",
            facts={"outcome": "nothing"},
        )
    if status == TransactionStatus.INERROR:
        raise TransactionFailed("the transaction has failed already: roll it back first", status=409)
    if status == TransactionStatus.IDLE and conn.autocommit:
        raise NoTransaction(
            "the connection is in autocommit mode: begin a transaction first, with conn.transaction()",
            status=409,
        )
    if conn.info.pipeline_status != PipelineStatus.OFF:
        raise NoTransaction("the connection is in pipeline mode: make the call outside it", status=409)


def _steps(
    conn: Connection | AsyncConnection, call: Call[Any], role: str | None
) -> Generator[_Query, tuple[Any, ...] | None, str]:
    """Yields statements, takes the row of each, or its error, and returns the receipt as JSON text."""
    try:
        yield _SAVE, {}
        before = (yield _ACT, {"role": role}) if role is not None else None
        row = yield _statement(call)
        if before is not None:
            yield _ACT, {"role": before[0]}
        yield _FORGET, {}
    except psycopg.Error as error:
        if not conn.closed and conn.info.transaction_status == TransactionStatus.INERROR:
            yield _UNDO, {}
            yield _FORGET, {}
        refused = _refusal(conn, error)
        if refused is None:
            raise
        raise refused from error
    assert row is not None  # noqa: S101 -- a function answers one row
    return str(row[0])


def _statement(call: Call[Any]) -> _Query:
    """The call with named arguments. The receipt comes as JSON, in the same form as over HTTP."""
    named = sql.SQL(", ").join(
        sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in call.arguments
    )
    query = sql.SQL("select row_to_json(r)::text from api.{}({}) as r").format(
        sql.Identifier(call.function), named
    )
    return query, {name: _parameter(value) for name, value in call.arguments.items()}


def _parameter(value: Any) -> Any:
    return Jsonb(value, dumps=encode) if isinstance(value, Mapping) else value


def _refusal(conn: Connection | AsyncConnection, error: psycopg.Error) -> BankError | None:
    """The bank's refusal that the error is, or None."""
    state = error.sqlstate or ""
    if state.startswith("PT") and state[2:].isdigit():
        return refusal(error.diag.message_primary or "", int(state[2:]), facts_of(error.diag.message_detail))
    if state == _DENIED:
        return NotAllowed("the SQL login may not do this", status=403, slug="not_allowed")
    lost = conn.closed or conn.info.transaction_status == TransactionStatus.UNKNOWN
    if lost or state in _WAITED:
        text = "the connection broke" if lost else "the call waited for too long"
        return Unavailable(text, status=503, slug="unavailable", facts={"outcome": "nothing"})
    return None
