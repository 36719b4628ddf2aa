"""Report to the bank that a use was refused for lack of tokens: the bank may owe the user a notice.

The refusal rolled its own transaction back, so the database could not keep anything of it. The database does
not trust the report: it checks by itself whether the use would be refused.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import psycopg

from pgcredits.http.database.pools import BusyError, Statement, UnavailableError
from pgcredits.http.database.schema_cache import SchemaCache
from pgcredits.http.errors import ApiError
from pgcredits.http.functions import jsonbody, rpc
from pgcredits.http.functions.jsonbody import JsonObject
from pgcredits.tokens import Caller

log = logging.getLogger("pgcredits")

_USE = ("module_id", "usage", "user_id")
_CAPTURE = ("hold_id", "usage", "user_id")


class _Facts(msgspec.Struct):
    """The facts of a refusal, as its DETAIL has them."""

    index: int | None = None  # which item of a batch was refused


async def ask(
    schema_cache: SchemaCache,
    caller: Caller,
    statement: Statement,
    body: JsonObject,
    *,
    function: str,
    read_only: bool,
    path: str,
) -> tuple[Any, ...] | None:
    """`SchemaCache.ask` for a call of a function. A PT402 is reported before it is raised."""
    try:
        return await schema_cache.ask(caller, statement, read_only=read_only, path=path)
    except psycopg.Error as error:
        if error.sqlstate == "PT402":
            await _report(schema_cache, caller, function, body, error, path)
        raise


async def _report(
    schema_cache: SchemaCache, caller: Caller, refused: str, body: JsonObject, error: psycopg.Error, path: str
) -> None:
    """Never fails: the client learns of the refusal, whatever becomes of the notice."""
    try:
        name, arguments = _told(refused, body, error)
        if not arguments.members:
            return
        function = await rpc.find(schema_cache, name, arguments.members)
        await schema_cache.ask(
            caller, rpc.call_with_object(function, arguments, None), read_only=False, path=path
        )
    except (
        psycopg.Error,
        ApiError,
        BusyError,
        UnavailableError,
        msgspec.MsgspecError,
        LookupError,
    ) as failure:
        log.warning("the refusal of a use was not reported: %s", type(failure).__name__)


def _told(refused: str, body: JsonObject, error: psycopg.Error) -> tuple[str, JsonObject]:
    """The function that takes the report, and its arguments. Of a batch, the refused item is reported."""
    if refused == "capture_hold":
        return "report_refused_capture", body.pick({name: name for name in _CAPTURE})
    if refused == "consume_tokens_batch":
        facts = msgspec.json.decode(error.diag.message_detail or "{}", type=_Facts)
        items = msgspec.json.decode(body.members["items"], type=list[msgspec.Raw])
        body = jsonbody.parse(bytes(items[facts.index or 0]))
    return "report_refusal", body.pick({name: name for name in _USE})
